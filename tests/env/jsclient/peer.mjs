// SPDX-License-Identifier: MIT
// Matrix clients with Element's Rust crypto, several in one process: one JSON object a line in, one a line out.
//   in   {"n": 1, "client": "asha", "do": "login", "with": {...}}
//   out  {"n": 1, "ok": ...} or {"n": 1, "error": "..."}; unasked {"client": "asha", "event" | "verification" | ...: {...}}
import readline from "node:readline";

const out = process.stdout;
const tell = (value) => out.write(JSON.stringify(value) + "\n");
const { Client } = await import("./client.mjs");
const clients = new Map();

// The SDK throws where nobody listens when a server goes away; a test sees it in what does not come.
process.on("unhandledRejection", (error) => console.error("unhandled:", error));
process.on("uncaughtException", (error) => console.error("uncaught:", error));

async function run({ client: name, do: what, with: options = {} }) {
    if (!clients.has(name)) {
        clients.set(name, new Client(name, tell));
    }
    const client = clients.get(name);
    if (typeof client[what] !== "function") {
        throw new Error(`no command ${what}`);
    }
    return (await client[what](options)) ?? null;
}

tell({ ready: true });
const input = readline.createInterface({ input: process.stdin });
input.on("line", (line) => {
    const request = JSON.parse(line);
    run(request).then(
        (ok) => tell({ n: request.n, ok }),
        (error) => tell({ n: request.n, error: String(error?.message ?? error), stack: String(error?.stack ?? "") }));
});
input.on("close", () => process.exit(0));
