// Writes what fhirpath.js selects for every search parameter of R4, for the test that compares it with what
// `record::search` selects.
//
//     npm install --no-save fhirpath@5.2.2
//     node tools/fhirpath-expected.mjs hl7.fhir.r4.examples-4.0.1.tgz BUNDLE.json... | zstd -19 --long=24 > crates/record/tests/data/fhirpath-expected.ndjson.zst
//
// For maintainers only: the output is checked in, so building and testing Homecoming needs neither Node nor fhirpath.js.
// The inputs are HL7's official examples (CC0) and Synthea's transaction bundles (Apache-2.0).
//
// A line is {"resource": ..., "selected": {code: [nodes]}, "failed": {code: message}}; parameters that select nothing
// are left out. Per parameter up to four resources with a result are kept, the smallest first; every parameter of
// their kind is evaluated on each of them, so most of what is compared is that nothing is selected. Narratives are
// taken out of the resources: no parameter looks at them.
//
// HL7 writes `as` where several values may stand, which FHIRPath since 2.0 refuses; it is read as `ofType`, as search
// parameters mean it. `hasExtension(url)`, which no FHIRPath has, is read as `extension(url).exists()`.
//
// resolve() looks nothing up: it gives a resource of the kind that the text of the reference names, that its `type`
// names, or that is contained under its fragment.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const require = createRequire(join(process.cwd(), "package.json"));
const fhirpath = require("fhirpath");
const r4 = require("fhirpath/fhir-context/r4");

const RESULTS_MAX = 4;
const SIZE_MAX = 40_000;
const PER_BUNDLE_AND_KIND_MAX = 2;

const [tarball, ...bundles] = process.argv.slice(2);
if (!tarball) {
  console.error("usage: node tools/fhirpath-expected.mjs hl7.fhir.r4.examples-4.0.1.tgz BUNDLE.json...");
  process.exit(2);
}

const here = dirname(fileURLToPath(import.meta.url));
const table = readFileSync(join(here, "../crates/record/definitions/search-parameters.tsv"), "utf8");
const structures = readFileSync(join(here, "../crates/record/definitions/structures.txt"), "utf8");
const kinds = [...structures.matchAll(/^resource (\S+)/gm)].map((match) => match[1]);

let root = null;
const options = {
  resolveInternalTypes: true,
  userInvocationTable: { resolve: { fn: resolve, arity: { 0: [] }, internalStructures: true } },
};
const parametersOf = readParameters();
const kept = choose(readResources());
for (const line of kept) console.log(JSON.stringify(line));

function resolve(nodes) {
  return nodes.flatMap((node) => {
    const kind = kindOf(node.data ?? node);
    return kind ? [new node.constructor(node.ctx, { resourceType: kind }, null, null, null, null)] : [];
  });
}

function kindOf(reference) {
  const text = reference?.reference;
  if (text === "#") return root.resourceType;
  if (text?.startsWith("#")) return (root.contained ?? []).find((inner) => inner.id === text.slice(1))?.resourceType;
  const match = /(?:^|\/)([A-Za-z]+)\/[A-Za-z0-9.-]{1,64}(\/_history\/[A-Za-z0-9.-]{1,64})?$/.exec(text ?? "");
  return match && kinds.includes(match[1]) ? match[1] : reference?.type;
}

function readParameters() {
  const parametersOf = new Map(kinds.map((kind) => [kind, new Map()]));
  const compiled = new Map();
  for (const line of table.trimEnd().split("\n")) {
    const [, bases, code, type, expression] = line.split("\t");
    if (type === "composite" || type === "special" || code === "_id" || code === "_lastUpdated") continue;
    if (!compiled.has(expression)) compiled.set(expression, fhirpath.compile(inFhirpath(expression), r4, options));
    for (const base of bases.split(" ")) {
      for (const kind of base === "Resource" ? kinds : [base]) parametersOf.get(kind).set(code, compiled.get(expression));
    }
  }
  return parametersOf;
}

function inFhirpath(expression) {
  return expression
    .replace(/\(([A-Za-z.]+) as ([A-Za-z]+)\)/g, "$1.ofType($2)")
    .replace(/([A-Za-z.]+) as ([A-Za-z]+)/g, "$1.ofType($2)")
    .replace(/\.as\(/g, ".ofType(")
    .replace(/hasExtension\(('[^']*')\)/g, "extension($1).exists()");
}

function readResources() {
  const resources = [];
  for (const [name, content] of tarEntries(gunzipSync(readFileSync(tarball)))) {
    if (!/^package\/[A-Z][A-Za-z]+-[^/]*\.json$/.test(name) || content.length > 4 * SIZE_MAX) continue;
    resources.push(JSON.parse(content.toString("utf8")));
  }
  const chosen = [];
  const add = (resource) => {
    delete resource.text;
    if (parametersOf.has(resource.resourceType) && JSON.stringify(resource).length <= SIZE_MAX) chosen.push(resource);
  };
  const bySize = (a, b) => JSON.stringify(a).length - JSON.stringify(b).length || (a.id < b.id ? -1 : 1);
  resources.forEach(add);
  chosen.sort(bySize);
  for (const path of bundles) {
    const seen = {};
    for (const { resource } of JSON.parse(readFileSync(path, "utf8")).entry) {
      seen[resource.resourceType] = (seen[resource.resourceType] ?? 0) + 1;
      if (seen[resource.resourceType] <= PER_BUNDLE_AND_KIND_MAX) add(Object.assign(resource, { always: true }));
    }
  }
  return chosen;
}

function choose(resources) {
  const results = new Map();
  const kept = [];
  for (const resource of resources) {
    const { always, ...plain } = resource;
    root = plain;
    const selected = {};
    const failed = {};
    let isWanted = always;
    for (const [code, evaluate] of parametersOf.get(plain.resourceType)) {
      let nodes = [];
      try {
        nodes = evaluate(plain);
      } catch (error) {
        failed[code] = error.message.slice(0, 80);
      }
      if (nodes.length > 0) selected[code] = nodes;
    }
    const keys = [...Object.keys(selected), ...Object.keys(failed)].map((code) => `${plain.resourceType}.${code}`);
    isWanted ||= keys.some((key) => (results.get(key) ?? 0) < RESULTS_MAX);
    if (!isWanted) continue;
    for (const key of keys) results.set(key, (results.get(key) ?? 0) + 1);
    kept.push({ resource: plain, selected, ...(Object.keys(failed).length > 0 ? { failed } : {}) });
  }
  const total = [...parametersOf].reduce((sum, [, of]) => sum + of.size, 0);
  console.error(`${kept.length} resources; ${results.size} of ${total} parameters select something`);
  return kept;
}

/** The files of a tar archive: ustar names, and pax records for the long ones. */
function* tarEntries(tar) {
  let longName = null;
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const field = (from, length) => tar.toString("utf8", at + from, at + from + length).split("\0")[0];
    const size = parseInt(field(124, 12), 8);
    const type = field(156, 1);
    const content = tar.subarray(at + 512, at + 512 + size);
    const prefix = field(345, 155);
    if (type === "x") {
      longName = /\d+ path=(.*)\n/.exec(content.toString("utf8"))?.[1] ?? null;
    } else {
      if (type === "0" || type === "") yield [longName ?? (prefix ? `${prefix}/${field(0, 100)}` : field(0, 100)), content];
      longName = null;
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
}
