// Reads mails (HTML files named as arguments), prints one JSON object: file -> feature -> clients without it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const folder = process.env.AUDIT_TOOLS;
const { exports } = createRequire(import.meta.url)(join(folder, "node_modules/caniemail/package.json"));
const entry = exports["."].default ?? exports["."].import;
const { caniemail } = await import(pathToFileURL(join(folder, "node_modules/caniemail", entry)));
const clients = ["gmail.*", "outlook.*", "apple-mail.*"];
const found = {};
for (const file of process.argv.slice(2)) {
  const { issues } = caniemail({ clients, html: readFileSync(file, "utf8") });
  found[file] = {};
  for (const [client, list] of issues.errors) {
    for (const issue of list) (found[file][issue.title] ??= []).push(client);
  }
}
console.log(JSON.stringify(found));
