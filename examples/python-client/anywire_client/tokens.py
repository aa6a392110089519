"""Signs tokens, for tests and trials. In earnest only your application's server may do this:
whoever has the secret can be anybody."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any


def sign(secret: str, *, lifetime: float = 3600, **claims: Any) -> str:
    """A JWT signed with HS256, for example `sign(secret, sub="ann", capability={"*": ["*"]})`."""
    claims.setdefault("exp", int(time.time() + lifetime))
    header = _base64url(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    signed = f"{header}.{_base64url(json.dumps(claims).encode())}"
    digest = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_base64url(digest)}"


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
