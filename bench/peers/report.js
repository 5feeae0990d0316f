// What a run found, as Markdown.
//   usage: node report.js DIRECTORY NAME…    the first name is what the others are compared with

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const [directory, ...names] = process.argv.slice(2);
const read = (file) => JSON.parse(readFileSync(file, "utf8"));
const load = read(`${directory}/load.json`);
const conform = names.map((name) => read(`${directory}/${name}.conform.json`));
const outcomes = ["passed", "wrong", "undeclared", "unsupported"];

/** The first `words` columns hold words, the others numbers. */
function table(head, rows, words) {
    const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i].length)));
    const padded = (cell, i) => (i < words ? cell.padEnd(widths[i]) : cell.padStart(widths[i]));
    const line = (cells) => `| ${cells.map(padded).join(" | ")} |`;
    const dashes = (width, i) => (i < words ? "" : ":").padStart(width, "-");
    return [line(head), line(widths.map(dashes)), ...rows.map(line)].join("\n");
}

function conformance() {
    const [first] = conform;
    const areas = [...new Set(first.checks.map(({ area }) => area))];
    const count = (checks, outcome) => checks.filter((check) => check.outcome === outcome).length;
    const row = (title, wanted) => [
        title,
        String(first.checks.filter(wanted).length),
        ...conform.map(({ checks }) =>
            outcomes.map((outcome) => count(checks.filter(wanted), outcome)).join(" / "),
        ),
    ];
    const rows = areas.map((area) => row(area, (check) => check.area === area));
    return table(["Area", "Checks", ...names], [...rows, row("**all**", () => true)], 1);
}

function speed() {
    const line = (row, servers, name) => {
        const { connections, requests_per_s: rate, p50_ms, p99_ms, cpu_us, refused } = servers[name];
        const title = name === names[0] ? row : "";
        if (refused !== undefined) return [title, name, "–", "–", "–", "–", "–", "–"];
        const ratio = servers[names[0]].requests_per_s / rate;
        return [
            title,
            name,
            String(connections),
            rate.toFixed(0),
            p50_ms.toFixed(2),
            p99_ms.toFixed(2),
            cpu_us.toFixed(0),
            name === names[0] ? "" : ratio.toFixed(ratio < 10 ? 1 : 0),
        ];
    };
    const head = [
        "",
        "Server",
        "Connections",
        "requests/s",
        "p50 ms",
        "p99 ms",
        "CPU µs",
        `${names[0]} : it`,
    ];
    const rows = load.rows.flatMap(({ row, servers }) =>
        names.map((name) => line(row, servers, name)),
    );
    return [table(head, rows, 2), ...refusals()].join("\n\n");
}

/** A sentence for each row that a server did not play. */
function refusals() {
    const sentence = (row, name, refused) => {
        const [head, body = ""] = refused.split("\r\n\r\n");
        const detail = /"detail":"((?:[^"\\]|\\.)*)"/.exec(body)?.[1] ?? "";
        return `${name}, ${row}: ${head.split("\r\n")[0]} ${detail}`.trim();
    };
    return load.rows.flatMap(({ row, servers }) =>
        names
            .filter((name) => servers[name].refused !== undefined)
            .map((name) => sentence(row, name, servers[name].refused)),
    );
}

function version(name) {
    return `${name} ${read(new URL(`node_modules/${name}/package.json`, import.meta.url)).version}`;
}

const { machine } = load;
const muster = execFileSync("build/release/muster", ["version"], { encoding: "utf8" }).trim();
const packages = [
    "scimmy",
    "scimmy-routers",
    "express",
    "better-auth",
    "@better-auth/scim",
    "better-sqlite3",
];
console.log(`\
- When and where: ${machine.date}, commit ${machine.commit}
- Machine: ${machine.processor}, ${machine.cores} cores shared with the load generator,
  Linux ${machine.kernel}, one fdatasync ${machine.fdatasync_us.toFixed(0)} µs
- Versions: ${muster}, Node ${process.versions.node}
${packages.map((name) => `  - ${version(name)}`).join("\n")}

### Conformance

Each cell: ${outcomes.join(" / ")}.

${conformance()}

### Load

${load.users} people and one group; ${load.connections.join(", ")} connections, of which each server has
the number at which it answers most; rounds of ${load.seconds} s, of which there were ${load.rounds},
and of them the median.

${speed()}`);
