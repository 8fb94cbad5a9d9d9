"""Whether mail may leave at all: the operator's switch, the circuit, and the approval of a run.

A run needs approval when it is far larger than usual, or after too many complaints.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import connection
from django.db.models import Max

from digest.mail.delivery import circuit, complaints, rate_limits
from digest.models import Delivery, Digest, MailDay, MailGate
from subscriptions.models import Subscriber

Switch = MailGate.Switch
USUAL_DAYS = 14
TIMES_USUAL = 3
ALLOWED_FOR = dt.timedelta(hours=24)
# Finds a row where mail under way must stop; the parameter says whether this is a trial of an open circuit.
HOLDS = """
    SELECT 1 FROM digest_mailgate
    WHERE id = 1 AND (switch = 'paused' OR (circuit_since IS NOT NULL AND NOT %s))
"""
SAMPLE = 1000  # digests that tell for how many readers something matches


def turn(switch: str, now: dt.datetime) -> None:
    """Pause, drain or run."""
    MailGate.rows().update(switch=switch, switched_at=now)


def allow(now: dt.datetime) -> None:
    """The operator's yes to what was asked: a large run may go for a day, and the complaints so far are known."""
    MailGate.rows().update(asked_at=None, question="", allowed_until=now + ALLOWED_FOR)


def try_now() -> None:
    """The operator knows that the server is back: the next look tries."""
    MailGate.rows().exclude(circuit_since=None).update(next_try_at=None)


def ask_first(now: dt.datetime) -> bool:
    """Before a look begins anything: is there a reason to ask the operator? Then the mails wait for a yes.

    Returns whether a question stands.
    """
    gate = MailGate.load()
    question = " ".join(filter(None, (_about_complaints(gate, now), _about_size(gate, now))))
    if question or gate.asked_at:
        asked_at = (gate.asked_at or now) if question else None
        # Unless the operator has said yes since.
        MailGate.rows().filter(allowed_until=gate.allowed_until).update(asked_at=asked_at, question=question)
    return bool(question)


def _about_complaints(gate: MailGate, now: dt.datetime) -> str:
    """Asked while too many readers call the mails spam. After a yes only what is told since counts."""
    begin = min(gate.asked_at or now, now) - complaints.PERIOD  # while a question stands nobody forgets why
    yes = gate.allowed_until - ALLOWED_FOR if gate.allowed_until else begin
    found = complaints.since(max(begin, yes) if yes <= now else begin)
    if not found.are_over(settings.MAIL_COMPLAINT_LIMIT):
        return ""
    return (
        f"Readers called mails spam: {found}, over the limit of {settings.MAIL_COMPLAINT_LIMIT:g} %."
        " Look whether they all asked for this mail: large providers block who goes on."
    )


def _about_size(gate: MailGate, now: dt.datetime) -> str:
    """Asked where today's mails would be far more than usual: what left, what waits, and who is due until midnight
    (UTC), as far as mails come of it and a warm-up plan lets them go today.
    """
    if _is_allowed(gate, now) or not settings.MAIL_ASK_ABOVE:
        return ""
    since = now.date() - dt.timedelta(days=USUAL_DAYS)
    most = MailDay.objects.filter(day__lt=now.date(), day__gte=since).aggregate(most=Max("sent"))["most"] or 0
    limit = max(settings.MAIL_ASK_ABOVE, TIMES_USUAL * most)
    sent = MailDay.objects.filter(day=now.date()).values_list("sent", flat=True).first() or 0
    open_ones = Delivery.objects.filter(status__in=[Delivery.Status.WAITING, Delivery.Status.SENDING]).count()
    due = Subscriber.objects.due(dt.datetime.combine(now, dt.time.max, dt.UTC)).count()
    if sent + open_ones + due <= limit:
        return ""
    would = sent + open_ones + round(due * _share_with_mail())
    plan = rate_limits.warm_up(now)
    would = min(would, plan.allowed) if plan else would
    if would <= limit:
        return ""
    return f"Today would bring {would:,} mails; the most of the last {USUAL_DAYS} days was {most:,}."


def _share_with_mail() -> float:
    """For how many of the latest digests something matched, 0 to 1; 1 before there are any."""
    latest = Digest.objects.order_by("-pk").values_list("delivery", flat=True)[:SAMPLE]
    mails = [pk is not None for pk in latest]
    return sum(mails) / len(mails) if mails else 1.0


def _is_allowed(gate: MailGate, now: dt.datetime) -> bool:
    return gate.allowed_until is not None and now < gate.allowed_until <= now + ALLOWED_FOR


def may_claim(gate: MailGate, now: dt.datetime) -> bool:
    """Whether a worker may take mails, were it one as a trial."""
    return gate.switch == Switch.RUNNING and not gate.asked_at and (not gate.is_open or circuit.may_try(gate, now))


def is_held(is_trial: bool) -> bool:
    """Whether a worker that sends may send no window more: somebody has paused the run since, or met a dead server."""
    with connection.cursor() as cursor:
        cursor.execute(HOLDS, [is_trial])
        return cursor.fetchone() is not None


def reasons(gate: MailGate, now: dt.datetime) -> dict[str, str]:
    """Everything that holds mail back at this moment, by a short name, in words; empty: nothing does."""
    found = {}
    if gate.switch != Switch.RUNNING:
        since = f" since {gate.switched_at:%Y-%m-%d %H:%M} UTC" if gate.switched_at else ""
        found["switch"] = f"Mail is {gate.get_switch_display()}{since}."
    if gate.asked_at:
        found["question"] = f"{gate.question} Mails wait for your yes since {gate.asked_at:%Y-%m-%d %H:%M} UTC."
    if gate.is_open:
        found["circuit"] = _of_circuit(gate, now)
    today = rate_limits.warm_up(now)
    if today and today.sent >= today.allowed:
        found["warm_up"] = (
            f"Warm-up, day {today.day} of {today.days}: all {today.allowed:,} mails of today have left;"
            " the others wait for tomorrow (UTC)."
        )
    return found


def _of_circuit(gate: MailGate, now: dt.datetime) -> str:
    is_soon = gate.next_try_at is None or circuit.may_try(gate, now)
    when = "at the next look" if is_soon else f"at {gate.next_try_at:%H:%M:%S}"
    since = f"{gate.circuit_since:%Y-%m-%d %H:%M} UTC"
    tries = f"{gate.circuit_tries} tr{'y' if gate.circuit_tries == 1 else 'ies'} failed, the next comes {when}"
    return f"The mail server takes nothing since {since} ({tries}): {gate.circuit_reason}"
