"""A service in which every field that outsiders can fill holds markup that would run.

Runs inside the service: `manage.py shell -c "from tests import injected; injected.fill()"` prints addresses as JSON.
Rows are written past the parsers, which clean most of it: each exit must hold by itself.
"""

from __future__ import annotations

import contextlib
import io
import json
import zlib
from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.utils import timezone

from auditlog.models import AuditEntry
from digest import links
from digest.models import Delivery, Digest, KeptPage, Listing, MailGate, Paper, Source
from digest.relevance import match_papers
from subscriptions import emails, signup
from subscriptions import links as own_links
from subscriptions.interests.parser import parse
from subscriptions.models import Consent, Interest, Subscriber, Suppression
from tests import ten_days

ELEMENTS = (
    "<img class=injected src=//evil.invalid/a.png onerror=ran=1>",
    "<script class=injected>ran=1</script>",
    "<meta class=injected http-equiv=refresh content=0;url=//evil.invalid/>",
    "<svg class=injected onload=ran=1>",
    "<a class=injected href=javascript:ran=1>a</a>",
    "<b class=injected x-init=ran=1 x-data hx-get=//evil.invalid/b hx-trigger=load>b</b>",
    "<base class=injected href=//evil.invalid/>",
    "<iframe class=injected src=javascript:ran=1></iframe>",
)
BREAKOUTS = (
    "</textarea></title></style></script></pre>--><img class=injected src=x onerror=ran=1>",
    "\"'><img class=injected src=x onerror=ran=1>",
    "\" data-injected=1 onfocus='ran=1' autofocus ' data-injected=1 onfocus=ran=1",
    ']]></summary><script xmlns="http://www.w3.org/1999/xhtml" class="injected">ran=1</script>',
)
MARKUP = " ".join((*ELEMENTS, *BREAKOUTS))
SHORT = "\"'><img class=injected src=x onerror=ran=1>"
ADDRESS = "javascript:ran=1//%0Aran=1//"
# What the language of interests takes: a phrase holds anything but a quotation mark.
LINES = tuple(f'diffusion OR "{one}"' for one in (*ELEMENTS, BREAKOUTS[0], "' data-injected=1 onfocus=ran=1 '"))
STRANGER = "o'hara&{x}`|=/?^*!#$%~@example.org"  # all that a library lets through


def fill() -> None:
    """Fill an empty service whose mail catcher runs; prints what a visitor must know as JSON."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        ten_days.fill()
    given = json.loads(said.getvalue().strip().splitlines()[-1])
    now = timezone.now()
    _papers()
    _sources(now)
    match_papers.match_new(now)
    given |= _stranger(now)
    given |= _known(now)
    _what_went_wrong(now)
    print(json.dumps(given | {"admin": _admin_rows()}))


def _papers() -> None:
    for paper in Paper.objects.all():
        paper.title, paper.abstract = f"{paper.title} {MARKUP}"[:1000], f"Diffusion. {MARKUP} {paper.abstract}"
        paper.authors, paper.categories = [SHORT, MARKUP], [SHORT]
        if paper.pk % 2:
            paper.arxiv_id, paper.doi, paper.url = None, None, ADDRESS
        elif paper.pk % 3 == 0:
            paper.arxiv_id, paper.doi = None, f"10.1/{paper.pk}\"'><img/class=injected/src=x>"
        paper.matched_at = None
        paper.save()
    Listing.objects.update(announce_type=SHORT[:16], url=ADDRESS)


def _sources(now: Any) -> None:
    Source.objects.update(name=MARKUP[:200], url=ADDRESS, last_error=MARKUP, last_warning=MARKUP, error_count=3)
    Source.objects.create(slug="well", name=SHORT, url=ADDRESS, last_warning=MARKUP, last_success_at=now)
    content = zlib.compress(MARKUP.encode())
    KeptPage.objects.create(
        source=Source.objects.earliest("pk"), url=f"{ADDRESS}{SHORT}", content=content, content_hash="0", error=MARKUP,
        fetched_at=now,
    )  # fmt: skip


def _stranger(now: Any) -> dict[str, str]:
    """Somebody who signed up and never confirmed: what staff look at before anybody said yes."""
    for line in LINES:
        parse(line)
    signup.sign_up(STRANGER, signup.Preferences(lines=LINES, trending_share=30), page=f"/{SHORT}", now=now)
    reader = Subscriber.objects.by_address(STRANGER).get()
    return {
        "stranger": str(reader.pk),
        "stranger confirm": own_links.confirm(reader),
        "stranger unsubscribe": own_links.unsubscribe(reader),
    }


def _known(now: Any) -> dict[str, str]:
    """A reader whose lines, mails and feedback hold markup; their mail has been sent."""
    wishes = signup.Preferences(lines=LINES, trending_share=50, max_papers=30)
    signup.sign_up("mallory@example.org", wishes, page="/", now=now)
    reader = Subscriber.objects.by_address("mallory@example.org").get()
    emails.send_notices(now)
    signup.confirm(reader, page=f"/{SHORT}", now=now, wording=MARKUP)
    Subscriber.objects.filter(pk=reader.pk).update(next_digest_at=now)
    call_command("send_digests", verbosity=0, stdout=io.StringIO())
    digest = Digest.objects.get(subscriber=reader)
    digest.notice = MARKUP
    digest.save()
    reader.feedback.create(paper_id=digest.paper_ids[0], kind="save", at=now)
    reader.feedback.create(paper_id=digest.paper_ids[0], kind="more", at=now)
    said = links.feedback(digest)
    first, last = digest.paper_ids[0], digest.paper_ids[-1]
    return {
        "mallory": str(reader.pk),
        "preferences": own_links.preferences(reader),
        "access": own_links.access(reader),
        "unsubscribe": own_links.unsubscribe(reader),
        "emailed": own_links.emailed(reader),
        "web copy": links.web_copy(digest),
        "feedback": f"{said}?paper={last}&say=more",
        "feedback noted": f"{said}?paper={first}&say=more",
        "mute": f"{said}?paper={first}&say=mute",
        "paper": f"/paper/{first}/",
        "paper without address": Paper.objects.filter(url=ADDRESS).latest("pk").get_absolute_url(),
    }


def _what_went_wrong(now: Any) -> None:
    """Provider replies, the mail server's words, refused log-ins, the admin's own history."""
    Delivery.objects.update(error=MARKUP, message_id=SHORT, attempts=2)
    Delivery.objects.filter(digest__subscriber__email="ada@example.org").update(status=Delivery.Status.BOUNCED)
    MailGate.rows().update(circuit_since=now, circuit_reason=MARKUP, asked_at=now, question=MARKUP, next_try_at=now)
    seen = {"user_agent": MARKUP[:255], "ip_address": "127.0.0.1", "username": SHORT, "path_info": SHORT}
    AccessAttempt.objects.create(**seen, get_data=MARKUP, post_data=MARKUP, failures_since_start=5)
    AccessLog.objects.create(**seen, session_hash=SHORT)
    AccessFailureLog.objects.create(**seen)
    Group.objects.create(name=SHORT)
    Consent.objects.update(page=MARKUP[:200], wording=MARKUP)
    Suppression.objects.add_address("gone@example.org", Suppression.Reason.BOUNCED, now)
    user = User.objects.get()
    AuditEntry.objects.create(
        created_at=now, user=user, actor=SHORT, action=SHORT[:60], target=MARKUP[:200], detail=MARKUP[:500]
    )
    for label, pk in _admin_rows().items():
        kind = ContentType.objects.get_for_model(apps.get_model(label))
        LogEntry.objects.create(
            user=user,
            content_type=kind,
            object_id=pk,
            object_repr=MARKUP[:200],
            action_flag=CHANGE,
            change_message=MARKUP,
        )  # fmt: skip
    assert Interest.objects.filter(text__contains="onerror").exists()


def _admin_rows() -> dict[str, str]:
    """A row of each model, one that holds markup."""
    paper = Digest.objects.get(subscriber__email="mallory@example.org").paper_ids[0]
    best = {
        "subscriptions.subscriber": Subscriber.objects.by_address(STRANGER).get().pk,
        "subscriptions.interest": Interest.objects.filter(text__contains="onerror").earliest("pk").pk,
        "digest.digest": Digest.objects.get(subscriber__email="mallory@example.org").pk,
        "digest.paper": paper,
        "digest.edition": Listing.objects.filter(paper=paper).earliest("pk").edition_id,
    }
    rows: dict[str, str] = {}
    for model in apps.get_models():
        pk = (
            best.get(model._meta.label_lower)
            or model._default_manager.order_by("pk").values_list("pk", flat=True).first()
        )
        if pk is not None:
            rows[model._meta.label_lower] = str(pk)
    return rows
