#!/usr/bin/env node
// Trains the compression dictionary of the ledger (crates/ledger/dictionary).
//
//   node tools/dictionary.mjs SYNTHEA_BUNDLES HL7_EXAMPLES OUT.zdict [HELD_OUT_DIR]
//
// SYNTHEA_BUNDLES: a directory of transaction bundles; of the name-sorted files
// the even ones (0, 2, 4, ...) train, the odd ones are held out.
// HL7_EXAMPLES: the unpacked package hl7.fhir.r4.examples 4.0.1.
// HELD_OUT_DIR: where the held-out resources are written, one file each, so
// that the ratio can be measured.
//
// A maintainer's tool: users need neither node nor zstd's command line. A
// dictionary that was ever released is never changed, because stored content
// refers to it by number; a better one gets the next number and a new format.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [bundles, examples, out, heldOut] = process.argv.slice(2);
if (!out) {
  console.error("usage: dictionary.mjs SYNTHEA_BUNDLES HL7_EXAMPLES OUT.zdict [HELD_OUT_DIR]");
  process.exit(2);
}

// Kinds whose examples look like what a programme stores about people and care.
const clinical = new Set(`AdverseEvent AllergyIntolerance Appointment AppointmentResponse CarePlan CareTeam
  ClinicalImpression Communication CommunicationRequest Composition Condition Consent Coverage DetectedIssue
  Device DeviceUseStatement DiagnosticReport DocumentReference Encounter EpisodeOfCare FamilyMemberHistory Flag
  Goal Group HealthcareService ImmunizationRecommendation Immunization List Location Media Medication
  MedicationAdministration MedicationDispense MedicationRequest MedicationStatement NutritionOrder Observation
  Organization Patient Person Practitioner PractitionerRole Procedure Provenance QuestionnaireResponse
  RelatedPerson RequestGroup RiskAssessment Schedule ServiceRequest Slot Specimen SupplyDelivery Task
  VisionPrescription`.split(/\s+/));

const crockford = "0123456789abcdefghjkmnpqrstvwxyz";
const idOf = (text) =>
  [...createHash("sha256").update(text).digest().subarray(0, 16)].map((b) => crockford[b & 31]).join("");

// As the ledger stores it: compact, type and id first, version and time of
// storage left out, references inside the bundle resolved.
function stored(resource, refs, id) {
  const { resourceType, id: _, meta, ...rest } = resource;
  const { versionId, lastUpdated, ...keep } = meta ?? {};
  const first = { resourceType, id: id ?? resource.id };
  if (Object.keys(keep).length) first.meta = keep;
  return JSON.stringify({ ...first, ...rest }, (key, value) =>
    key === "reference" && refs.has(value) ? refs.get(value) : value);
}

const train = [], held = [];
readdirSync(bundles).filter((n) => n.endsWith(".json")).sort().forEach((name, i) => {
  const bundle = JSON.parse(readFileSync(join(bundles, name), "utf8"));
  const refs = new Map(bundle.entry.map((e) => [e.fullUrl, `${e.resource.resourceType}/${idOf(e.fullUrl)}`]));
  for (const e of bundle.entry) (i % 2 ? held : train).push(stored(e.resource, refs, idOf(e.fullUrl)));
});
const synthea = train.length;
for (const name of readdirSync(examples).sort()) {
  if (!name.endsWith(".json") || !clinical.has(name.split("-")[0])) continue;
  const resource = JSON.parse(readFileSync(join(examples, name), "utf8"));
  if (!clinical.has(resource.resourceType)) continue;
  delete resource.text; // a narrative is one author's prose, not a shape
  train.push(stored(resource, new Map()));
}

const samples = mkdtempSync(join(tmpdir(), "dictionary-"));
train.forEach((text, i) => writeFileSync(join(samples, String(i).padStart(6, "0")), text));
execFileSync("zstd", ["-q", "-f", "--train-fastcover=accel=1,steps=16,split=100,shrink=2", "-r", samples,
  "--maxdict=112640", "--dictID=1", "-o", out], { stdio: "inherit" });
rmSync(samples, { recursive: true });
if (heldOut) {
  mkdirSync(heldOut, { recursive: true });
  held.forEach((text, i) => writeFileSync(join(heldOut, `${String(i).padStart(6, "0")}.json`), text));
}
const bytes = held.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
console.log(`${synthea} Synthea resources and ${train.length - synthea} HL7 examples trained; ` +
  `${held.length} held out, ${bytes} bytes, ${(bytes / held.length).toFixed(0)} each`);
