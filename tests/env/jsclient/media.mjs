// SPDX-License-Identifier: MIT
// Encrypted attachments as the specification of the client-server API has them: AES-256-CTR, SHA-256 over the ciphertext.
import { webcrypto } from "node:crypto";

const subtle = webcrypto.subtle;
const unpadded = (bytes) => Buffer.from(bytes).toString("base64").replace(/=+$/, "");

export async function encrypt(plain) {
    const iv = new Uint8Array(16);
    webcrypto.getRandomValues(iv.subarray(0, 8)); // the low half counts blocks
    const key = await subtle.generateKey({ name: "AES-CTR", length: 256 }, true, ["encrypt", "decrypt"]);
    const data = await subtle.encrypt({ name: "AES-CTR", counter: iv, length: 64 }, key, plain);
    const jwk = await subtle.exportKey("jwk", key);
    const file = {
        v: "v2", iv: unpadded(iv), hashes: { sha256: unpadded(await subtle.digest("SHA-256", data)) },
        key: { alg: "A256CTR", ext: true, k: jwk.k, key_ops: ["encrypt", "decrypt"], kty: "oct" },
    };
    return { data: Buffer.from(data), file };
}

export async function decrypt(data, file) {
    if (file.v !== "v2" || file.key.alg !== "A256CTR") {
        throw new Error("not an attachment of version 2");
    }
    if (unpadded(await subtle.digest("SHA-256", data)) !== file.hashes.sha256) {
        throw new Error("the hash of the attachment is wrong");
    }
    const key = await subtle.importKey("jwk", file.key, { name: "AES-CTR" }, false, ["decrypt"]);
    const counter = Buffer.from(file.iv, "base64");
    return Buffer.from(await subtle.decrypt({ name: "AES-CTR", counter, length: 64 }, key, data));
}
