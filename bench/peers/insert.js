// Puts a file between the two marks of a document, in place of what is there.
//   usage: node insert.js FILE DOCUMENT

import { readFileSync, writeFileSync } from "node:fs";

const [file, document] = process.argv.slice(2);
const marks = /(<!-- figures: .* -->\n)[^]*(<!-- end of figures -->)/;
const text = readFileSync(document, "utf8");
if (!marks.test(text)) throw new Error(`${document} has no marks`);
const figures = readFileSync(file, "utf8");
writeFileSync(document, text.replace(marks, (_, begin, end) => `${begin}\n${figures}\n${end}`));
