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
    const rule = widths.map((width, i) => (i < words ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
    return [line(head), line(rule), ...rows.map(line)].join("\n");
}

function counts(checks) {
    return outcomes.map((outcome) => checks.filter((check) => check.outcome === outcome).length);
}

function conformance() {
    const areas = [...new Set(conform[0].checks.map((check) => check.area))];
    const row = (title, wanted) => [
        title,
        String(conform[0].checks.filter(wanted).length),
        ...conform.map(({ checks }) => counts(checks.filter(wanted)).join(" / ")),
    ];
    return table(
        ["Area", "Checks", ...names],
        [...areas.map((area) => row(area, (check) => check.area === area)), row("**all**", () => true)],
        1,
    );
}

function speed() {
    const rows = load.rows.flatMap(({ row, servers }) =>
        names.map((name, i) => {
            const { requests_per_s: rate, p50_ms, p99_ms, cpu_us, refused } = servers[name];
            const title = i === 0 ? row : "";
            if (refused !== undefined) return [title, name, "–", "–", "–", "–", "–"];
            const ratio = servers[names[0]].requests_per_s / rate;
            return [title, name, rate.toFixed(0), p50_ms.toFixed(2), p99_ms.toFixed(2), cpu_us.toFixed(0)]
                .concat(i === 0 ? "" : ratio.toFixed(ratio < 10 ? 1 : 0));
        }),
    );
    const head = ["", "Server", "requests/s", "p50 ms", "p99 ms", "CPU µs", `${names[0]} : it`];
    return [table(head, rows, 2), ...refusals()].join("\n\n");
}

/** A sentence for each row that a server did not play. */
function refusals() {
    return load.rows.flatMap(({ row, servers }) =>
        names
            .filter((name) => servers[name].refused !== undefined)
            .map((name) => {
                const [head, body = ""] = servers[name].refused.split("\r\n\r\n");
                const detail = /"detail":"((?:[^"\\]|\\.)*)"/.exec(body)?.[1] ?? "";
                return `${name}, ${row}: ${head.split("\r\n")[0]} ${detail}`;
            }),
    );
}

function version(name) {
    return read(new URL(`node_modules/${name}/package.json`, import.meta.url)).version;
}

const { machine } = load;
const muster = execFileSync("build/release/muster", ["version"], { encoding: "utf8" }).trim();
console.log(`Taken on ${machine.date} at commit ${machine.commit}, on ${machine.processor}, ${machine.cores}
cores shared with the load generator, Linux ${machine.kernel}, one fdatasync ${machine.fdatasync_us.toFixed(0)} µs.
${muster}; SCIMMY ${version("scimmy")} with scimmy-routers
${version("scimmy-routers")} and Express ${version("express")}; better-auth ${version("better-auth")} with @better-auth/scim
${version("@better-auth/scim")} and better-sqlite3 ${version("better-sqlite3")}; Node ${process.versions.node}.

### Conformance

Each cell: ${outcomes.join(" / ")}.

${conformance()}

### Load

${load.users} people and one group; ${load.connections} connections, the median of ${load.rounds} rounds of ${load.seconds} s.

${speed()}`);
