// Writes GitHub's description of its API as Prism needs it to judge our requests: describe.mjs TARGET
//
// - The description offers `application/json` only. GitHub's documentation recommends to accept `application/vnd.github+json`, which
//   gives the same.
// - Some of the examples that are answered lack fields that their own schemas require, and Prism would refuse to answer them. So
//   answers are not judged where there is an example.
// - The pages of examples link to GitHub itself, where no test goes.
// - A field of a request that the description does not name is a mistake of ours, so objects in requests are closed.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const source = createRequire(import.meta.url).resolve('@octokit/openapi/generated/api.github.com.json');
const description = JSON.parse(readFileSync(source, 'utf8'));
const JSON_TYPE = 'application/json';
const ASKED_TYPE = 'application/vnd.github+json';

function offer(response) {
  const content = response?.content;
  delete response?.headers?.Link;
  if (!content?.[JSON_TYPE]) return;
  if (content[JSON_TYPE].examples) delete content[JSON_TYPE].schema;
  content[ASKED_TYPE] ??= content[JSON_TYPE];
}

for (const response of Object.values(description.components.responses)) offer(response);
let closed = 0;
for (const path of Object.values(description.paths)) {
  for (const operation of Object.values(path)) {
    for (const response of Object.values(operation.responses ?? {})) offer(response);
    const schema = operation.requestBody?.content?.[JSON_TYPE]?.schema;
    if (schema?.properties && schema.additionalProperties === undefined) {
      schema.additionalProperties = false;
      closed += 1;
    }
  }
}
if (closed === 0) throw new Error('no request body was closed: the description looks different now');
writeFileSync(process.argv[2], JSON.stringify(description));
