// SPDX-License-Identifier: MIT
// One Matrix client of the process: a device of its own, what it received, and what a test can have it do.
import { api, sdk } from "./sdk.mjs";
import * as media from "./media.mjs";
import { Verifications } from "./verify.mjs";

const COLOURS = Object.fromEntries(Object.entries(api.EventShieldColour).map(([name, n]) => [n, name]));
const REASONS = Object.fromEntries(Object.entries(api.EventShieldReason).map(([name, n]) => [n, name]));
const MEGOLM = "m.megolm.v1.aes-sha2";

export class Client {
    constructor(name, tell) {
        this.name = name;
        this.tell = (kind, value) => tell({ client: name, [kind]: value });
        this.recoveryKey = null;
    }

    // -- life
    async login({ url, user, password, device, strict = false, history = 0 }) {
        const door = sdk.createClient({ baseUrl: url });
        const got = await door.loginRequest({
            type: "m.login.password", identifier: { type: "m.id.user", user }, password, device_id: device,
            initial_device_display_name: this.name,
        });
        this.password = password;
        this.sdk = sdk.createClient({
            baseUrl: url, userId: got.user_id, accessToken: got.access_token, deviceId: got.device_id, disableVoip: true,
            verificationMethods: ["m.sas.v1"],
            cryptoCallbacks: { getSecretStorageKey: async ({ keys }) => this.storageKey(keys) },
        });
        await this.sdk.initRustCrypto({ useIndexedDB: false });
        this.crypto = this.sdk.getCrypto();
        this.crypto.setDeviceIsolationMode(
            strict ? new api.OnlySignedDevicesIsolationMode() : new api.AllDevicesIsolationMode(false));
        this.verifications = new Verifications(this.sdk, (state) => this.tell("verification", state));
        this.listen();
        await this.sdk.startClient({
            initialSyncLimit: history, disablePresence: true, lazyLoadMembers: false, pollTimeout: 10000,
            pendingEventOrdering: sdk.PendingEventOrdering.Detached,
        });
        await new Promise((resolve) => {
            this.sdk.on(sdk.ClientEvent.Sync, (state) => state === "PREPARED" && resolve());
        });
        return { user_id: got.user_id, device_id: got.device_id, access_token: got.access_token };
    }

    async logout() {
        this.sdk.stopClient();
        await this.sdk.logout(true);
    }

    stop() {
        this.sdk?.stopClient();
    }

    storageKey(keys) {
        const [id] = Object.keys(keys);
        return this.recoveryKey ? [id, this.recoveryKey] : null;
    }

    listen() {
        this.sdk.on(sdk.RoomEvent.Timeline, (event, room, toStart) => {
            if (!toStart && !event.status) {
                this.report(event);
            }
        });
        this.sdk.on(sdk.RoomEvent.LocalEchoUpdated, (event) => {
            if (!event.status) {
                this.report(event);
            }
        });
        this.sdk.on(sdk.MatrixEventEvent.Decrypted, (event) => this.report(event));
        this.sdk.on(sdk.RoomEvent.MyMembership, (room, membership) => {
            this.tell("membership", { room: room.roomId, membership });
        });
        this.sdk.on(api.CryptoEvent.UserTrustStatusChanged, (user) => this.tell("trust", { user }));
    }

    // -- what was received
    async report(event) {
        if (event.isBeingDecrypted()) {
            await event.getDecryptionPromise();
        }
        this.tell("event", await this.view(event));
    }

    async view(event) {
        const wire = event.getWireContent();
        const encrypted = event.isEncrypted();
        const content = { ...(event.getClearContent() ?? wire) };
        if (encrypted && wire["m.relates_to"]) {
            content["m.relates_to"] = wire["m.relates_to"];
        }
        const out = {
            event_id: event.getId(), room_id: event.getRoomId(), sender: event.getSender(), type: event.getType(),
            state_key: event.getStateKey() ?? null, content, encrypted, redacts: event.event.redacts ?? null,
            failure: null, shield: null, reason: null,
        };
        if (encrypted) {
            out.wire = wire;
            out.failure = event.isDecryptionFailure() ? event.decryptionFailureReason : null;
            const info = await this.crypto.getEncryptionInfoForEvent(event);
            out.shield = info ? COLOURS[info.shieldColour] : null;
            out.reason = info && info.shieldReason !== null ? REASONS[info.shieldReason] : null;
        }
        return out;
    }

    async events({ room, back = 0 }) {
        const place = this.sdk.getRoom(room);
        if (back) {
            await this.sdk.scrollback(place, back);
        }
        const all = place.getLiveTimeline().getEvents();
        await Promise.all(all.map((event) => event.getDecryptionPromise()));
        return Promise.all(all.map((event) => this.view(event)));
    }

    async look({ room, event }) {
        return this.view(this.sdk.getRoom(room).findEventById(event));
    }

    // -- rooms
    async createRoom({ name, invite = [], encrypted = true, direct = false, rotation = {}, options = {} }) {
        const encryption = { type: "m.room.encryption", state_key: "", content: { algorithm: MEGOLM, ...rotation } };
        const { initial_state = [], ...rest } = options;
        const got = await this.sdk.createRoom({
            preset: "private_chat", name: name ?? undefined, invite, is_direct: direct,
            initial_state: [...(encrypted ? [encryption] : []), ...initial_state], ...rest,
        });
        await this.here(got.room_id);
        return got.room_id;
    }

    // Until the sync has brought the room and its encryption, nothing can be said there.
    async here(id) {
        for (;;) {
            const room = this.sdk.getRoom(id);
            if (room?.getMyMembership() === "join"
                && (!room.hasEncryptionStateEvent() || (await this.crypto.isEncryptionEnabledInRoom(id)))) {
                return;
            }
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
    }

    async join({ room }) {
        const joined = await this.sdk.joinRoom(room);
        await this.here(joined.roomId);
        return joined.roomId;
    }

    async invite({ room, user }) {
        await this.sdk.invite(room, user);
    }

    async kick({ room, user }) {
        await this.sdk.kick(room, user, "a test");
    }

    async leave({ room }) {
        await this.sdk.leave(room);
    }

    async encrypts({ room }) {
        return this.crypto.isEncryptionEnabledInRoom(room);
    }

    // -- saying
    async send({ room, type, content }) {
        await this.here(room);
        const got = await this.sdk.sendEvent(room, type, content);
        return got.event_id;
    }

    async redact({ room, event }) {
        return (await this.sdk.redactEvent(room, event)).event_id;
    }

    async state({ room, type, content, key = "" }) {
        return (await this.sdk.sendStateEvent(room, type, content, key)).event_id;
    }

    async attach({ room, data, name, mimetype, body, msgtype = "m.image" }) {
        const plain = Buffer.from(data, "base64");
        const sealed = await media.encrypt(plain);
        const { content_uri } = await this.sdk.uploadContent(sealed.data, { type: "application/octet-stream" });
        const content = {
            msgtype, body, filename: name, info: { mimetype, size: plain.length }, file: { ...sealed.file, url: content_uri },
        };
        return this.send({ room, type: "m.room.message", content });
    }

    async fetch({ file }) {
        const url = this.sdk.mxcUrlToHttp(file.url, undefined, undefined, undefined, false, true, true);
        const got = await fetch(url, { headers: { Authorization: `Bearer ${this.sdk.getAccessToken()}` } });
        if (!got.ok) {
            throw new Error(`the media repository answers ${got.status}`);
        }
        return (await media.decrypt(Buffer.from(await got.arrayBuffer()), file)).toString("base64");
    }

    // -- identity, secret storage, backup
    // renew: a new identity in place of the old one.
    async crossSign({ renew = false }) {
        await this.crypto.bootstrapCrossSigning({
            setupNewCrossSigning: renew, authUploadDeviceSigningKeys: (request) => this.authorised(request),
        });
    }

    // The server asks for the password where it must be sure that it is the person.
    async authorised(request) {
        try {
            return await request(null);
        } catch (error) {
            return request({
                type: "m.login.password", identifier: { type: "m.id.user", user: this.sdk.getUserId() },
                password: this.password, session: error.data?.session,
            });
        }
    }

    async secureStorage() {
        const key = await this.crypto.createRecoveryKeyFromPassphrase();
        this.recoveryKey = key.privateKey;
        await this.crypto.bootstrapSecretStorage({
            createSecretStorageKey: async () => key, setupNewSecretStorage: true, setupNewKeyBackup: true,
        });
        return key.encodedPrivateKey;
    }

    // What Element does when somebody types the recovery key on a new device.
    async openStorage({ recovery_key }) {
        this.recoveryKey = api.decodeRecoveryKey(recovery_key);
        await this.crypto.userHasCrossSigningKeys(this.sdk.getUserId(), true); // the public halves first
        await this.crypto.bootstrapCrossSigning({});
        await this.crypto.loadSessionBackupPrivateKeyFromSecretStorage();
        const backup = await this.crypto.checkKeyBackupAndEnable();
        const restored = await this.crypto.restoreKeyBackup();
        return {
            ready: await this.crypto.isCrossSigningReady(), storage: await this.crypto.isSecretStorageReady(),
            trusted: backup?.trustInfo ?? null, restored: { total: restored.total, imported: restored.imported },
            private_keys: (await this.crypto.getCrossSigningStatus()).privateKeysCachedLocally,
        };
    }

    async backupInfo() {
        const info = await this.crypto.getKeyBackupInfo();
        return info && { info, trust: await this.crypto.isKeyBackupTrusted(info) };
    }

    async backedUp() {
        return this.crypto.getActiveSessionBackupVersion();
    }

    // -- what it thinks of others
    async user({ user }) {
        const status = await this.crypto.getUserVerificationStatus(user);
        const keys = await this.crypto.getUserCrossSigningKeys(user);
        return {
            verified: status.isCrossSigningVerified(), before: status.wasCrossSigningVerified(), known: status.known,
            needs_approval: status.needsUserApproval, master: keys?.master_key ? Object.values(keys.master_key.keys)[0] : null,
        };
    }

    async devices({ user }) {
        const found = await this.crypto.getUserDeviceInfo([user], true);
        const out = {};
        for (const [id, device] of found.get(user) ?? []) {
            const status = await this.crypto.getDeviceVerificationStatus(user, id);
            out[id] = { signed: status.signedByOwner, verified: status.isVerified(), key: device.getFingerprint() };
        }
        return out;
    }

    async pin({ user }) {
        await this.crypto.pinCurrentUserIdentity(user);
    }

    async onlyVerified({ on }) {
        this.crypto.globalBlacklistUnverifiedDevices = on;
    }

    async discard({ room }) {
        await this.crypto.forceDiscardSession(room);
    }

    async roomKeys() {
        return this.crypto.exportRoomKeys();
    }

    async toDevice({ type, user, device, content }) {
        const batch = await this.crypto.encryptToDeviceMessages(type, [{ userId: user, deviceId: device }], content);
        await this.sdk.queueToDevice(batch);
        return batch.batch.length;
    }

    async deleteDevice({ device }) {
        await this.authorised((auth) => this.sdk.deleteDevice(device, auth ?? undefined));
    }

    // -- verification
    verifyUser({ user, room }) {
        return this.verifications.ask(user, room);
    }

    verifyDevice({ user, device }) {
        return this.verifications.askDevice(user, device);
    }

    verification({ id }) {
        return this.verifications.state(id);
    }

    accept({ id }) {
        return this.verifications.accept(id);
    }

    sas({ id, start = false }) {
        return this.verifications.sas(id, start);
    }

    confirm({ id }) {
        return this.verifications.confirm(id);
    }

    mismatch({ id }) {
        return this.verifications.mismatch(id);
    }

    cancel({ id, code }) {
        return this.verifications.cancel(id, code);
    }
}
