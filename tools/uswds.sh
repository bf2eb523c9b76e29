#!/usr/bin/env bash
# For maintainers: rebuilds the vendored style sheet of the US Web Design System, and the gzip
# copies of both style sheets. Needs Node and npm; users and the build need neither.
#
#   tools/uswds.sh         everything
#   tools/uswds.sh gzip    only the gzip copies (after an edit of homecoming.css)
set -euo pipefail
cd "$(dirname "$0")/.."
assets=crates/server/assets
vendor=$assets/vendor/uswds
uswds=3.14.0
sass=1.108.2

if [ "${1:-}" != gzip ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    (
        cd "$work"
        npm pack --silent "@uswds/uswds@$uswds" >/dev/null
        echo "da91c65e6fc736fa397f0daf6ca2c2c95711506d85c7ad2537a4570725401e1c  uswds-uswds-$uswds.tgz" | sha256sum -c --quiet
        tar xzf "uswds-uswds-$uswds.tgz"
        npm init -y >/dev/null
        npm install --silent --no-fund --no-audit "sass@$sass"
    )
    "$work/node_modules/.bin/sass" --no-source-map --style=compressed --quiet \
        --load-path="$work/package/packages" "$vendor/subset.scss" "$work/all.css"
    node tools/uswds.mjs <"$work/all.css" >"$vendor/uswds.css"
    cp "$work/package/LICENSE.md" "$vendor/LICENSE.md"
    (cd "$vendor" && sha256sum LICENSE.md subset.scss uswds.css >SHA256SUMS)
fi
gzip -9nc "$vendor/uswds.css" >"$vendor/uswds.css.gz"
gzip -9nc "$assets/homecoming.css" >"$assets/homecoming.css.gz"
