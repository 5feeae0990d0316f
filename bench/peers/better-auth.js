// better-auth with its SCIM plug-in, set up as its documentation has it: SQLite, and a connection
// with a static bearer credential.
//   usage: node better-auth.js TOKEN DATABASE

import { randomBytes } from "node:crypto";
import { createServer } from "node:http";

import { scim } from "@better-auth/scim";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import Database from "better-sqlite3";

import { announce } from "./announce.js";

const [token, file] = process.argv.slice(2);
const credential = { type: "bearer", id: "peer", token };
const database = new Database(file);
// As durable as Muster, with the faster of the two journals that are.
database.pragma("journal_mode = WAL");
database.pragma("synchronous = FULL");

const server = createServer();
server.listen(0, "127.0.0.1", async () => {
    const auth = betterAuth({
        baseURL: `http://127.0.0.1:${server.address().port}`,
        secret: randomBytes(32).toString("hex"),
        database,
        rateLimit: { enabled: false },
        // Without it a group of more than 100 cannot be filled at once.
        advanced: { database: { defaultFindManyLimit: 10_000 } },
        logger: { level: "error" },
        plugins: [scim({ connections: [{ id: "peer", credentials: [credential] }] })],
    });
    const { runMigrations } = await getMigrations(auth.options);
    await runMigrations();
    const handler = toNodeHandler(auth);
    server.on("request", (request, response) => {
        // The handler throws at what the Fetch standard forbids, and the process would end with it.
        if (request.method === "TRACE") response.writeHead(501).end();
        else handler(request, response);
    });
    announce(server, "/api/auth/scim/v2");
});
