# SPDX-License-Identifier: MIT
"""A client made with matrix-nio: no cross-signing, no verification of anybody. One thread with a loop for each."""
import asyncio
import io
import pathlib
import threading

if __package__:
    from .peer import Missing
else:
    from peer import Missing

try:
    import nio
    from nio.crypto import decrypt_attachment
except ImportError:  # the tests that want it are skipped, aloud
    nio = None


class NioClient:
    """Logged in, reading. `take(event)` is called with each event of a room, on the client's own thread: a dict with
    event_id, room_id, sender, type, content, encrypted (came decrypted), failure (None, or why it could not be)."""

    def __init__(self, folder, url, user, password, take, invited):
        if nio is None:
            raise Missing("matrix-nio is not there: run tests/env/deps.sh check")
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.take, self.invited = take, invited
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._task = None
        self.run(self._login(url, user, password))

    def run(self, work, timeout=60):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    async def _login(self, url, user, password):
        config = nio.AsyncClientConfig(encryption_enabled=True, store_sync_tokens=True)
        self.client = nio.AsyncClient(url, user, store_path=str(self.folder), config=config)
        got = await self.client.login(password, device_name="nio")
        if not isinstance(got, nio.LoginResponse):
            raise AssertionError(got)
        self.user_id, self.token, self.device_id = got.user_id, got.access_token, got.device_id
        self.client.add_event_callback(self._event, nio.Event)
        self.client.add_event_callback(lambda room, event: self.invited(room.room_id), nio.InviteEvent)
        await self.client.keys_upload()
        await self.client.sync(timeout=0, full_state=True)
        self._task = self._loop.create_task(self.client.sync_forever(timeout=10000))

    def _event(self, room, event):
        source = event.source
        opaque = isinstance(event, nio.MegolmEvent)
        self.take({"event_id": event.event_id, "room_id": room.room_id, "sender": event.sender, "type": source["type"],
                   "content": source.get("content", {}), "encrypted": bool(event.decrypted) or opaque,
                   "failure": "no key" if opaque else None})

    async def _send(self, room, kind, content):
        got = await self.client.room_send(room, kind, content, ignore_unverified_devices=True)
        if not isinstance(got, nio.RoomSendResponse):
            raise AssertionError(got)
        return got.event_id

    def send(self, room, kind, content):
        """Encrypted where the room is."""
        return self.run(self._send(room, kind, content))

    def join(self, room):
        got = self.run(self.client.join(room))
        if not isinstance(got, nio.JoinResponse):
            raise AssertionError(got)

    def knows_encrypted(self, room):
        place = self.client.rooms.get(room)
        return bool(place and place.encrypted)

    async def _upload(self, data):
        got, keys = await self.client.upload(lambda *_: io.BytesIO(data), "application/octet-stream", "data",
                                             encrypt=True, filesize=len(data))
        if not isinstance(got, nio.UploadResponse):
            raise AssertionError(got)
        return {**keys, "url": got.content_uri}

    def upload(self, data):
        """Encrypted; the `file` of an event."""
        return self.run(self._upload(data))

    def download(self, file):
        got = self.run(self.client.download(file["url"]))
        if not isinstance(got, nio.DownloadResponse):
            raise AssertionError(got)
        return decrypt_attachment(got.body, file["key"]["k"], file["hashes"]["sha256"], file["iv"])

    async def _stop(self):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.client.close()

    def stop(self):
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
