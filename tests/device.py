"""A device as somebody may build one from docs/offline.md alone: it makes its key, numbers its vouchers from 1, signs them, and
keeps them until it is in touch. It shares nothing with the program but the document.
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass
class FieldDevice:
    """A tablet at the gate. `kept`: what it wrote, in its order."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    device_id: str = ""
    written: int = 0
    kept: list[dict[str, str]] = field(default_factory=list)

    @property
    def public_key(self) -> str:
        """What it shows to whoever enrols it."""
        return b64encode(self.key.public_key().public_bytes_raw()).decode()

    def sign(self, payload: str) -> dict[str, str]:
        """A text as it goes over the line."""
        return {"payload": payload, "signature": b64encode(self.key.sign(payload.encode())).decode()}

    def write(self, act: str, happened_at: datetime, request: dict[str, Any], /, **other: Any) -> dict[str, str]:
        """Writes a voucher under its next number; `other` fields instead of what an honest device would write."""
        self.written += 1
        payload = {
            "device": self.device_id,
            "document_id": str(uuid4()),
            "number": self.written,
            "happened_at": happened_at.isoformat(),
            "precision": "second",
            "act": act,
            "clerk": "T-1",
            "request": request,
            **other,
        }
        voucher = self.sign(json.dumps(payload))
        self.kept.append(voucher)
        return voucher
