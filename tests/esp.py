"""A stand-in for the HTTP interfaces of mail providers, on loopback: keeps what was posted, answers as it is told."""

from __future__ import annotations

import base64
import json
import threading
import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs


class Posted(NamedTuple):
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Answer(NamedTuple):
    """`body` is sent as JSON unless it is bytes; `after` seconds; with `drop` the line is cut instead."""

    status: int = 200
    body: object = b""
    headers: tuple[tuple[str, str], ...] = ()
    after: float = 0
    drop: bool = False


class Esp:
    """`script` is used up first, an answer a request; then every mail is taken as its provider takes it."""

    def __init__(self) -> None:
        self.posted: list[Posted] = []
        self.script: list[Answer] = []
        esp = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one write an answer: in two, the second waits for the other side's delayed ACK

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                esp.posted.append(Posted(self.path, headers, body))
                answer = esp.script.pop(0) if esp.script else Answer(200, taken(esp.posted[-1]))
                time.sleep(answer.after)
                if answer.drop:
                    self.close_connection = True
                    self.connection.close()
                    return
                raw = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                self.send_response(answer.status)
                for name, value in (("Content-Length", str(len(raw))), *answer.headers):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def environment(self, provider: str) -> dict[str, str]:
        """What an operator sets to use this provider, with its address turned to here."""
        ses = {"endpoint_url": self.url, "region_name": "eu-west-1", "aws_access_key_id": "AKIA",
               "aws_secret_access_key": "secret"}  # fmt: skip
        return {
            "postmark": {"ANYMAIL_POSTMARK_SERVER_TOKEN": "pm-token", "ANYMAIL_POSTMARK_API_URL": self.url},
            "mailgun": {"ANYMAIL_MAILGUN_API_KEY": "mg-key", "ANYMAIL_MAILGUN_API_URL": f"{self.url}/v3"},
            "sendgrid": {"ANYMAIL_SENDGRID_API_KEY": "sg-key", "ANYMAIL_SENDGRID_API_URL": f"{self.url}/v3"},
            "amazon_ses": {"ANYMAIL_AMAZON_SES_CLIENT_PARAMS": json.dumps(ses)},
            "brevo": {"ANYMAIL_BREVO_API_KEY": "bv-key", "ANYMAIL_BREVO_API_URL": f"{self.url}/v3"},
            "resend": {"ANYMAIL_RESEND_API_KEY": "re-key", "ANYMAIL_RESEND_API_URL": self.url},
        }[provider]


def taken(posted: Posted) -> object:
    """A provider's yes, told by the path."""
    if posted.path == "/email":
        return {"ErrorCode": 0, "Message": "OK", "MessageID": "pm-1", "To": posted.json["To"]}
    if posted.path == "/email/batch":
        return [{"ErrorCode": 0, "Message": "OK", "MessageID": f"pm-{one['To']}", "To": one["To"]}
                for one in posted.json]  # fmt: skip
    if posted.path.endswith("/messages"):
        return {"id": "<mg-1@example.org>", "message": "Queued. Thank you."}
    if posted.path == "/v3/mail/send":
        return b""
    if posted.path == "/v2/email/outbound-emails":
        return {"MessageId": "ses-1"}
    if posted.path == "/v3/smtp/email":
        versions = posted.json.get("messageVersions")
        return {"messageIds": [f"<bv-{one['to'][0]['email']}>" for one in versions]} if versions else {
            "messageId": "<bv-1@example.org>"}  # fmt: skip
    if posted.path == "/emails/batch":
        return {"data": [{"id": f"re-{one['to'][0]}"} for one in posted.json]}
    return {"id": "re-1"}


class Left(NamedTuple):
    """One mail as a provider was given it, in the same words for all. `tracked`: what was said of opens and clicks."""

    to: str
    sender: str
    subject: str
    text: str
    html: str
    headers: dict[str, str]  # names in lower case
    data: dict[str, str]
    tags: list[str]
    tracked: list[object]


def left(provider: str, posted: Posted) -> Left:
    return {"postmark": _postmark, "mailgun": _mailgun, "sendgrid": _sendgrid, "amazon_ses": _ses, "brevo": _brevo,
            "resend": _resend}[provider](posted)  # fmt: skip


def _lower(headers: dict[str, str]) -> dict[str, str]:
    """A folded header begins with its space."""
    return {name.lower(): text.strip() for name, text in headers.items()}


def _postmark(posted: Posted, one: Any = None) -> Left:
    one = one or posted.json
    headers = _lower({header["Name"]: header["Value"] for header in one["Headers"]})
    return Left(one["To"], one["From"], one["Subject"], one["TextBody"], one["HtmlBody"], headers, one["Metadata"],
                [one["Tag"]], [one["TrackOpens"], one["TrackLinks"] != "None"])  # fmt: skip


def _mailgun(posted: Posted) -> Left:
    form = {name: values[0] for name, values in parse_qs(posted.body.decode()).items()}
    headers = _lower({name[2:]: text for name, text in form.items() if name.startswith("h:")})
    data = {name[2:]: text for name, text in form.items() if name.startswith("v:")}
    tracked = [form["o:tracking-opens"] != "no", form["o:tracking-clicks"] != "no"]
    return Left(form["to"], form["from"], form["subject"], form["text"], form["html"], headers, data,
                [form["o:tag"]], tracked)  # fmt: skip


def _sendgrid(posted: Posted) -> Left:
    one = posted.json
    (person,) = one["personalizations"]
    (text, html) = one["content"]
    assert (text["type"], html["type"]) == ("text/plain", "text/html")
    tracked = [setting["enable"] for setting in one["tracking_settings"].values()]
    return Left(person["to"][0]["email"], one["from"]["email"], one["subject"], text["value"], html["value"],
                _lower(one["headers"]), one["custom_args"], one["categories"], tracked)  # fmt: skip


def _ses(posted: Posted) -> Left:
    one = posted.json
    message = message_from_bytes(base64.b64decode(one["Content"]["Raw"]["Data"]), policy=policy.default)
    assert isinstance(message, EmailMessage)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    (to,) = one["Destination"]["ToAddresses"]
    return Left(to, str(message["From"]), str(message["Subject"]), text.get_content(), html.get_content(),
                _lower({name: str(value) for name, value in message.items()}), json.loads(message["X-Metadata"]),
                message.get_all("X-Tag", []), [])  # fmt: skip


def _brevo(posted: Posted, one: Any = None) -> Left:
    one = one or posted.json
    headers = _lower(one["headers"])
    sender = one.get("sender", posted.json["sender"])["email"]
    return Left(one["to"][0]["email"], sender, one["subject"], one["textContent"], one["htmlContent"], headers,
                json.loads(headers["x-mailin-custom"]), one.get("tags", posted.json["tags"]), [])  # fmt: skip


def _resend(posted: Posted, one: Any = None) -> Left:
    one = one or posted.json
    headers = _lower(one["headers"])
    return Left(one["to"][0], one["from"], one["subject"], one["text"], one["html"], headers,
                json.loads(headers["x-metadata"]), json.loads(headers["x-tags"]), [])  # fmt: skip


def left_in_batch(provider: str, posted: Posted) -> list[Left]:
    """The mails of one call."""
    if provider == "postmark":
        return [_postmark(posted, one) for one in posted.json]
    if provider == "resend":
        return [_resend(posted, one) for one in posted.json]
    if provider == "brevo":
        return [_brevo(posted, one) for one in posted.json["messageVersions"]]
    assert provider == "mailgun"
    form = parse_qs(posted.body.decode())
    variables = json.loads(form["recipient-variables"][0])
    mail = _mailgun(posted)
    return [_filled(mail, to, variables[to]) for to in form["to"]]


def _filled(mail: Left, to: str, values: dict[str, str]) -> Left:
    """As Mailgun puts a reader's variables in."""

    def fill(text: str) -> str:
        for name, value in values.items():
            text = text.replace(f"%recipient.{name}%", value)
        return text

    return mail._replace(
        to=to, subject=fill(mail.subject), text=fill(mail.text), html=fill(mail.html),
        headers={name: fill(text) for name, text in mail.headers.items()},
        data={name: fill(text) for name, text in mail.data.items()},
    )  # fmt: skip
