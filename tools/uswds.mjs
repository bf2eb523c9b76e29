// Drops from a style sheet (standard input) what no page of ours uses, and writes the rest
// (standard output). Called by tools/uswds.sh; needs nothing but Node.
//
// The design system writes every state of every variant of a component. A selector that mentions
// one of these words can never match our pages, so it is left out; a rule without selectors goes.
import { readFileSync } from "node:fs";

const unused = [
  "data-sortable", "usa-table__header", "--stacked", "--sticky", "--striped", "--borderless",
  "container--scrollable", "width-mobile", "--accent", "--hover", "--active", "aria-disabled", ":disabled",
  ".usa-focus", "--inverse", "--base", "--secondary", "--big", "--external", "usa-icon", "--error",
  "--success", "--required", "usa-media-link", "iframe", "contentEditable", "--2xs", "--xs", "--sm",
  "--small", "aria-sort", "data-sort-active", "--md", "--medium", "--lg", "--xl", "--2xl", "usa-form", "ms-expand", "--disabled",
];

// One level of `selector{...}` blocks; at-rules are opened and looked into.
function trim(css) {
  let out = "";
  for (let at = 0; at < css.length; ) {
    const open = css.indexOf("{", at);
    const semicolon = css.indexOf(";", at);
    if (semicolon !== -1 && (open === -1 || semicolon < open)) {
      out += css.slice(at, semicolon + 1);
      at = semicolon + 1;
      continue;
    }
    if (open === -1) break;
    let depth = 1;
    let end = open + 1;
    while (depth > 0) {
      if (css[end] === "{") depth++;
      if (css[end] === "}") depth--;
      end++;
    }
    const head = css.slice(at, open).trim();
    const body = css.slice(open + 1, end - 1);
    at = end;
    if (head.startsWith("@font-face")) continue;
    if (head.startsWith("@media") || head.startsWith("@supports")) {
      const inner = trim(body);
      if (inner) out += `${head}{${inner}}\n`;
      continue;
    }
    const kept = head.split(",").filter((one) => !unused.some((word) => one.includes(word)));
    if (kept.length > 0 && body) out += `${kept.join(",")}{${body}}\n`;
  }
  return out;
}

const source = readFileSync(0, "utf8").replace(/^\uFEFF/, "").replace(/\/\*[^]*?\*\//g, "");
const licence =
  "/* US Web Design System 3.14.0, a subset (subset.scss). Public domain (CC0 1.0) but for parts\n" +
  "   under the MIT licence: see LICENSE.md beside this file's source. */\n";
process.stdout.write(licence + trim(source));
