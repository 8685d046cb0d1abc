// SPDX-License-Identifier: MIT
// Verification by short authentication string: the requests one client knows, and the steps a person takes in Element.
import { api } from "./sdk.mjs";

const PHASES = Object.fromEntries(Object.entries(api.VerificationPhase).map(([name, n]) => [n, name.toLowerCase()]));

export class Verifications {
    constructor(client, tell) {
        this.client = client;
        this.tell = tell;
        this.known = new Map(); // transaction id -> {request, verifying, sas}
        client.on(api.CryptoEvent.VerificationRequestReceived, (request) => this.keep(request));
    }

    keep(request) {
        const id = request.transactionId;
        if (!this.known.has(id)) {
            const entry = { request };
            this.known.set(id, entry);
            request.on(api.VerificationRequestEvent.Change, () => this.tell(this.state(id)));
        }
        this.tell(this.state(id));
        return this.state(id);
    }

    entry(id) {
        const entry = this.known.get(id);
        if (!entry) {
            throw new Error(`no verification ${id}`);
        }
        return entry;
    }

    state(id) {
        const { request, failed } = this.entry(id);
        return {
            id, phase: PHASES[request.phase], user: request.otherUserId, device: request.otherDeviceId ?? null,
            room: request.roomId ?? null, mine: request.initiatedByMe, cancelled: request.cancellationCode ?? null,
            cancelled_by: request.cancellingUserId ?? null, methods: safely(() => request.methods),
            started: Boolean(request.verifier), failed: failed ?? null,
        };
    }

    async ask(user, room) {
        return this.keep(await this.client.getCrypto().requestVerificationDM(user, room));
    }

    async askDevice(user, device) {
        return this.keep(await this.client.getCrypto().requestDeviceVerification(user, device));
    }

    async accept(id) {
        await this.entry(id).request.accept();
        return this.state(id);
    }

    // What is to be compared. With start, this side sends m.key.verification.start; else it waits for the other's.
    async sas(id, start) {
        const entry = this.entry(id);
        if (start && !entry.request.verifier) {
            await entry.request.startVerification("m.sas.v1");
        }
        const verifier = entry.request.verifier;
        if (!verifier) {
            throw new Error("nobody has started");
        }
        if (!entry.shown) {
            entry.shown = new Promise((resolve, reject) => {
                const now = verifier.getShowSasCallbacks();
                if (now) {
                    resolve(now);
                }
                verifier.on(api.VerifierEvent.ShowSas, resolve);
                verifier.on(api.VerifierEvent.Cancel, () => reject(new Error("cancelled: " + entry.request.cancellationCode)));
            });
            entry.verifying = verifier.verify().catch((error) => {
                entry.failed = String(error);
                this.tell(this.state(id));
            });
        }
        entry.callbacks = await entry.shown;
        const { decimal, emoji } = entry.callbacks.sas;
        return { decimal, emoji: emoji.map(([picture, name]) => [picture, name]) };
    }

    async confirm(id) {
        const entry = this.entry(id);
        await entry.callbacks.confirm();
        await entry.verifying;
        return this.state(id);
    }

    mismatch(id) {
        this.entry(id).callbacks.mismatch();
    }

    async cancel(id, code) {
        await this.entry(id).request.cancel(code ? { code, reason: "a test" } : undefined);
        return this.state(id);
    }
}

function safely(get) {
    try {
        return get();
    } catch {
        return null;
    }
}
