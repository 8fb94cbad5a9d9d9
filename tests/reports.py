"""What providers post to a webhook, in the shape each documents, signed as each signs."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import uuid
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client

SECRET = "hook:rosebud"  # ANYMAIL_WEBHOOK_SECRET
MAILGUN_KEY = "key-1234"
RESEND_SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes....").decode()
_SENDGRID = ec.generate_private_key(ec.SECP256R1())
SENDGRID_KEY = base64.b64encode(
    _SENDGRID.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
).decode()
SETTINGS = {
    "WEBHOOK_SECRET": SECRET,
    "MAILGUN_API_KEY": "api",
    "MAILGUN_WEBHOOK_SIGNING_KEY": MAILGUN_KEY,
}
PROVIDERS = ("postmark", "mailgun", "sendgrid", "amazon_ses", "brevo", "resend")
KINDS = ("delivered", "hard", "soft", "ours", "complained", "unsubscribed")
# What a provider never reports: SES and Resend know no unsubscribing of their own unless they manage the lists.
UNKNOWN = {("amazon_ses", "unsubscribed"), ("resend", "unsubscribed"), ("brevo", "ours"), ("resend", "ours")}
BLOCKED = "554 5.7.1 Service unavailable; client host [192.0.2.9] blocked using dnsbl.example"
NO_USER = "550 5.1.1 No such user here"
FULL = "552 5.2.2 Mailbox full"
WORDS = {"hard": NO_USER, "soft": FULL, "ours": BLOCKED}


def event(
    provider: str, kind: str, *, recipient: str, digest: int | None, message_id: str = "m-1",
    at: dt.datetime | None = None,
) -> Any:  # fmt: skip
    """The JSON of one event."""
    at = at or dt.datetime(2026, 3, 16, 9, tzinfo=dt.UTC)
    data = {"digest": str(digest)} if digest else {}
    make = {"postmark": _postmark, "mailgun": _mailgun, "sendgrid": _sendgrid, "amazon_ses": _ses, "brevo": _brevo,
            "resend": _resend}[provider]  # fmt: skip
    return make(kind, recipient, data, message_id, at)


def _postmark(kind: str, recipient: str, data: dict[str, str], message_id: str, at: dt.datetime) -> Any:
    common = {"MessageID": message_id, "Metadata": data, "Tag": "digest", "ServerID": 1}
    if kind == "delivered":
        return common | {"RecordType": "Delivery", "Recipient": recipient, "DeliveredAt": at.isoformat()}
    if kind == "complained":
        return common | {"RecordType": "SpamComplaint", "Type": "SpamComplaint", "Email": recipient,
                         "BouncedAt": at.isoformat(), "ID": 4}  # fmt: skip
    if kind == "unsubscribed":
        return common | {"RecordType": "SubscriptionChange", "Recipient": recipient, "SuppressSending": True,
                         "SuppressionReason": "ManualSuppression", "ChangedAt": at.isoformat()}  # fmt: skip
    kinds = {"hard": "HardBounce", "soft": "SoftBounce", "ours": "SpamNotification"}
    return common | {"RecordType": "Bounce", "Type": kinds[kind], "Email": recipient, "ID": 4,
                     "BouncedAt": at.isoformat(), "Details": WORDS[kind], "Description": "It came back."}  # fmt: skip


def _mailgun(kind: str, recipient: str, data: dict[str, str], message_id: str, at: dt.datetime) -> Any:
    names = {"hard": "failed", "soft": "failed", "ours": "failed"}
    found: dict[str, Any] = {
        "event": names.get(kind, kind), "timestamp": at.timestamp(), "recipient": recipient, "tags": ["digest"],
        "user-variables": data, "message": {"headers": {"message-id": message_id}},
    }  # fmt: skip
    if kind in WORDS:
        reason = {"hard": "bounce", "soft": "generic", "ours": "espblock"}[kind]
        found |= {"severity": "permanent", "reason": reason,
                  "delivery-status": {"message": WORDS[kind], "description": "", "code": 550}}  # fmt: skip
    return {"event-data": found}


def _sendgrid(kind: str, recipient: str, data: dict[str, str], message_id: str, at: dt.datetime) -> Any:
    names = {"complained": "spamreport", "unsubscribed": "unsubscribe", "delivered": "delivered"}
    found = {"event": names.get(kind, "bounce"), "email": recipient, "timestamp": int(at.timestamp()),
             "anymail_id": message_id, "category": ["digest"], "sg_event_id": str(uuid.uuid4()), **data}  # fmt: skip
    if kind in WORDS:
        found |= {"type": "bounce" if kind == "hard" else "blocked", "reason": WORDS[kind], "status": "5.0.0"}
    return [found]


def _ses(kind: str, recipient: str, data: dict[str, str], message_id: str, at: dt.datetime) -> Any:
    headers = [{"name": "X-Metadata", "value": json.dumps(data)}, {"name": "X-Tag", "value": "digest"}]
    mail = {"messageId": message_id, "destination": [recipient], "headers": headers}
    if kind == "delivered":
        inner = {"eventType": "Delivery", "delivery": {"recipients": [recipient], "smtpResponse": "250 ok"}}
    elif kind == "complained":
        inner = {"eventType": "Complaint", "complaint": {"complainedRecipients": [{"emailAddress": recipient}]}}
    else:
        # What a block for reputation comes as is "Permanent", too.
        kinds = {
            "hard": ("Permanent", "NoEmail"),
            "soft": ("Transient", "MailboxFull"),
            "ours": ("Permanent", "General"),
        }
        bounced = {"emailAddress": recipient, "diagnosticCode": f"smtp; {WORDS[kind]}"}
        bounce = {"bounceType": kinds[kind][0], "bounceSubType": kinds[kind][1], "bouncedRecipients": [bounced]}
        inner = {"eventType": "Bounce", "bounce": bounce}
    return {"Type": "Notification", "MessageId": str(uuid.uuid4()), "TopicArn": "arn:aws:sns:eu-west-1:1:x",
            "Message": json.dumps(inner | {"mail": mail}), "Timestamp": at.isoformat()}  # fmt: skip


def _brevo(kind: str, recipient: str, data: dict[str, str], message_id: str, at: dt.datetime) -> Any:
    names = {"hard": "hard_bounce", "soft": "soft_bounce", "complained": "spam", "unsubscribed": "unsubscribe"}
    return {"event": names.get(kind, kind), "email": recipient, "message-id": message_id, "tags": ["digest"],
            "X-Mailin-custom": json.dumps(data), "ts_epoch": int(at.timestamp() * 1000),
            "reason": WORDS.get(kind, "sent")}  # fmt: skip


def _resend(kind: str, recipient: str, data: dict[str, str], message_id: str, at: dt.datetime) -> Any:
    headers = [{"name": "X-Metadata", "value": json.dumps(data)}, {"name": "X-Tags", "value": '["digest"]'}]
    inner: dict[str, Any] = {"email_id": message_id, "to": [recipient], "headers": headers}
    if kind in WORDS:
        kinds = {"hard": ("Permanent", "General"), "soft": ("Transient", "MailboxFull")}
        inner["bounce"] = {"type": kinds[kind][0], "subType": kinds[kind][1],
                           "message": "The recipient's email provider sent a bounce message."}  # fmt: skip
    names = {"hard": "bounced", "soft": "bounced"}
    return {"type": f"email.{names.get(kind, kind)}", "created_at": at.isoformat(), "data": inner}


def post(client: Client, provider: str, body: Any, **changed: Any) -> Any:
    """Post it as the provider does. `changed`: "auth" ("" for none), "key" to sign with, "raw" bytes instead."""
    if provider == "mailgun" and isinstance(body, dict):
        body = body | {"signature": _mailgun_signature(changed.get("key", MAILGUN_KEY))}
    raw = changed.get("raw", json.dumps(body).encode())
    headers = {}
    if auth := changed.get("auth", SECRET):
        headers["authorization"] = "Basic " + base64.b64encode(auth.encode()).decode()
    if provider == "amazon_ses" and isinstance(body, dict):
        headers |= {"x-amz-sns-message-type": body.get("Type", ""), "x-amz-sns-message-id": body.get("MessageId", "")}
    if provider == "resend" and (key := changed.get("key")):
        headers |= _svix_headers(raw, key)
    if provider == "sendgrid" and (key := changed.get("key")):
        headers |= sendgrid_headers(raw, key)
    url = f"/webhooks/{provider}/tracking/"
    return client.post(url, raw, content_type="application/json", headers=headers)


def _mailgun_signature(key: str) -> dict[str, str]:
    token, timestamp = uuid.uuid4().hex, "1773651600"
    signature = hmac.new(key.encode(), f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest()
    return {"token": token, "timestamp": timestamp, "signature": signature}


def _svix_headers(raw: bytes, secret: str) -> dict[str, str]:
    """Standard Webhooks: HMAC-SHA256 over id, timestamp and body."""
    name, timestamp = f"msg_{uuid.uuid4().hex}", str(int(dt.datetime.now(dt.UTC).timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{name}.{timestamp}.".encode() + raw, hashlib.sha256).digest()
    return {"svix-id": name, "svix-timestamp": timestamp, "svix-signature": "v1," + base64.b64encode(mac).decode()}


def sendgrid_headers(raw: bytes, key: ec.EllipticCurvePrivateKey | str = "") -> dict[str, str]:
    private = _SENDGRID if isinstance(key, str) else key
    signature = private.sign(b"1773651600" + raw, ec.ECDSA(hashes.SHA256()))
    return {"x-twilio-email-event-webhook-signature": base64.b64encode(signature).decode(),
            "x-twilio-email-event-webhook-timestamp": "1773651600"}  # fmt: skip
