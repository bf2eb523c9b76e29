// Writes crates/record/definitions/: what the record knows of FHIR R4 (4.0.1), taken from HL7's own package.
//
//     npm pack hl7.fhir.r4.examples@4.0.1
//     node tools/definitions.mjs hl7.fhir.r4.examples-4.0.1.tgz [output folder]
//
// For maintainers only: the files that it writes are checked in, so building and running Homecoming needs neither
// Node nor the package. The tarball is checked against the pinned digest and read in memory; nothing is unpacked, and
// Node's standard library is all that is used. The same input gives the same bytes.
//
// The formats of the two files are described in crates/record/definitions/README.md.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const SHA512 = "DXBdIZOeQaSKIgCU7w6HOC7sw/6BzylmipLkBW4f//pT+Bc94x+8LImwTdvaNThPJoOzpBzvxAzNqjeu3X/zLw==";

const [tarball, folder = join(dirname(fileURLToPath(import.meta.url)), "../crates/record/definitions")] =
  process.argv.slice(2);
if (!tarball) fail("usage: node tools/definitions.mjs hl7.fhir.r4.examples-4.0.1.tgz [output folder]");

const bytes = readFileSync(tarball);
const digest = createHash("sha512").update(bytes).digest("base64");
if (digest !== SHA512) fail(`${tarball} is not the pinned package: its SHA-512 is ${digest}`);

const wanted = /^package\/(StructureDefinition|SearchParameter|ValueSet|CodeSystem)-[^/]*\.json$/;
const resources = { StructureDefinition: [], SearchParameter: [], ValueSet: [], CodeSystem: [] };
for (const [name, content] of tarEntries(gunzipSync(bytes))) {
  if (!wanted.test(name)) continue;
  const resource = JSON.parse(content.toString("utf8"));
  resources[resource.resourceType].push(resource);
}

write("search-parameters.tsv", searchParameters());
write("structures.txt", structures());

function fail(sentence) {
  console.error(sentence);
  process.exit(2);
}

function write(name, lines) {
  const text = lines.join("\n") + "\n";
  writeFileSync(join(folder, name), text);
  console.log(`${name}: ${lines.length} lines, ${text.length} bytes`);
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

function byCode(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

// --- Search parameters ---------------------------------------------------------------------------------------------

function searchParameters() {
  const lines = [];
  const taken = new Map();
  const parameters = resources.SearchParameter.filter((p) => p.expression && !p.id.startsWith("example"));
  const codeOf = new Map(parameters.map((p) => [p.url, p.code]));
  for (const p of parameters.sort((a, b) => byCode(a.id, b.id))) {
    for (const base of p.base) {
      const key = `${base} ${p.code}`;
      if (taken.has(key)) fail(`${p.id} and ${taken.get(key)} both define ${key}`);
      taken.set(key, p.id);
    }
    const components = (p.component ?? []).map((c) => {
      const code = codeOf.get(c.definition);
      if (!code) fail(`${p.id} is composed of ${c.definition}, which is not there`);
      return `${code}=${oneLine(c.expression)}`;
    });
    lines.push(
      [p.id, p.base.join(" "), p.code, p.type, oneLine(p.expression), targetWords(p.target ?? []), components.join(" ; ")].join(
        "\t",
      ),
    );
  }
  return lines;
}

/** The kinds that a reference may lead to, `*` for all of them (HL7's lists leave out a few that nothing refers to). */
function targetWords(targets) {
  return targets.length > 140 ? "*" : targets.join(" ");
}

function oneLine(text) {
  return text.replace(/\s+/g, " ").trim();
}

// --- Structures ----------------------------------------------------------------------------------------------------

function structures() {
  const definitions = resources.StructureDefinition.filter(
    (d) =>
      ["resource", "complex-type", "primitive-type"].includes(d.kind) &&
      d.derivation !== "constraint" &&
      d.url === `http://hl7.org/fhir/StructureDefinition/${d.type}`,
  ).sort((a, b) => byCode(a.kind, b.kind) || byCode(a.type, b.type));
  const lines = [];
  const valueSets = new Set();
  const anyType = definitions
    .find((d) => d.type === "Extension")
    .snapshot.element.find((e) => e.path === "Extension.value[x]")
    .type.map(typeWord)
    .join();
  for (const d of definitions) {
    const word = d.kind === "resource" ? "resource" : d.kind === "complex-type" ? "type" : "primitive";
    const base = d.baseDefinition?.split("/").pop();
    lines.push([d.abstract ? "abstract " + word : word, d.type, ...(base ? [":", base] : [])].join(" "));
    if (word === "primitive") continue;
    for (const e of d.snapshot.element.slice(1)) {
      // What the base has is written there.
      if (e.base.path.split(".")[0] !== d.type) continue;
      const path = e.path.split(".");
      const words = [`${" ".repeat(path.length - 1)}${path.at(-1)}`, `${e.min}..${e.max}`];
      if (e.contentReference) {
        words.push("=" + e.contentReference.slice(1));
      } else {
        // The package types a resource's own id as any string; FHIR's text gives it the format of an id.
        const types = e.path === "Resource.id" ? ["id"] : e.type.map(typeWord);
        words.push(...(d.type !== "Extension" && types.join() === anyType ? ["*"] : types));
      }
      const binding = e.binding;
      if (binding?.strength === "required" && e.type?.some((t) => t.code === "code")) {
        const set = binding.valueSet.split("|")[0];
        if (codesOf(set)) {
          valueSets.add(set);
          words.push("!" + nameOf(set));
        }
      }
      lines.push(words.join(" "));
    }
  }
  for (const set of [...valueSets].sort((a, b) => byCode(nameOf(a), nameOf(b)))) {
    lines.push(`codes ${nameOf(set)} ${codesOf(set).join(" ")}`);
  }
  return lines;
}

/** One type of an element: its name, and for references which kinds they may lead to. */
function typeWord(type) {
  if (type.code.startsWith("http://hl7.org/fhirpath/System.")) {
    return type.extension?.find((x) => x.url.endsWith("structuredefinition-fhir-type"))?.valueUrl ?? "string";
  }
  const targets = (type.targetProfile ?? []).map((url) => url.split("/").pop());
  if (type.code !== "Reference" || targets.length === 0 || targets.includes("Resource")) return type.code;
  return `Reference(${targets.sort(byCode).join("|")})`;
}

function nameOf(valueSet) {
  return valueSet.split("/").pop();
}

/** The codes of a value set if the package defines all of them, else null. */
function codesOf(url) {
  const set = resources.ValueSet.find((v) => v.url === url);
  if (!set?.compose || set.compose.exclude) return null;
  const codes = new Set();
  for (const part of set.compose.include) {
    let found = null;
    if (part.concept) {
      found = part.concept.map((c) => c.code);
    } else if (part.system && !part.filter) {
      const system = resources.CodeSystem.find((s) => s.url === part.system);
      if (system?.content === "complete") found = conceptCodes(system.concept ?? []);
    } else if (part.system && part.filter.length === 1 && part.filter[0].op === "is-a") {
      const system = resources.CodeSystem.find((s) => s.url === part.system);
      if (system?.content === "complete") {
        const top = findConcept(system.concept, part.filter[0].value);
        if (top) found = conceptCodes([top]);
      }
    }
    for (const other of part.valueSet ?? []) {
      const codes = codesOf(other);
      if (!codes) return null;
      found = found ? found.filter((c) => codes.includes(c)) : codes;
    }
    if (!found) return null;
    for (const code of found) codes.add(code);
  }
  // A code with a space could not be told from two codes.
  return [...codes].some((c) => /\s/.test(c)) ? null : [...codes];
}

function conceptCodes(concepts) {
  return concepts.flatMap((c) => [c.code, ...conceptCodes(c.concept ?? [])]);
}

function findConcept(concepts, code) {
  for (const c of concepts) {
    const found = c.code === code ? c : findConcept(c.concept ?? [], code);
    if (found) return found;
  }
  return null;
}
