"""Whether mail may leave at all: the operator's switch, the circuit, and the question before a large run."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import connection
from django.db.models import Max

from digest.delivery import circuit, pacing
from digest.models import Delivery, MailDay, MailGate
from subscriptions.models import Subscriber

Switch = MailGate.Switch
USUAL_DAYS = 14
TIMES_USUAL = 3
ALLOWED_FOR = dt.timedelta(hours=24)


def turn(switch: str, now: dt.datetime) -> None:
    """Pause, drain or run."""
    MailGate.rows().update(switch=switch, switched_at=now)


def allow(now: dt.datetime) -> None:
    """The operator's word: large runs may go for a day."""
    MailGate.rows().update(asked_at=None, question="", allowed_until=now + ALLOWED_FOR)


def try_now() -> None:
    """The operator knows that the server is back: the next look tries."""
    MailGate.rows().exclude(circuit_since=None).update(next_try_at=None)


def ask_if_large(now: dt.datetime) -> bool:
    """Before a look begins anything: would today's mails be far more than usual? Then they wait for the operator.

    Counted: what left today, what waits, and who is due now. Returns whether the question stands.
    """
    gate = MailGate.load()
    if _is_allowed(gate, now) or not settings.MAIL_ASK_ABOVE:
        if gate.asked_at:
            MailGate.rows().update(asked_at=None, question="")
        return False
    since = now.date() - dt.timedelta(days=USUAL_DAYS)
    most = MailDay.objects.filter(day__lt=now.date(), day__gte=since).aggregate(most=Max("sent"))["most"] or 0
    limit = max(settings.MAIL_ASK_ABOVE, TIMES_USUAL * most)
    sent = MailDay.objects.filter(day=now.date()).values_list("sent", flat=True).first() or 0
    open_ones = Delivery.objects.filter(status__in=[Delivery.Status.WAITING, Delivery.Status.SENDING]).count()
    would = sent + open_ones + Subscriber.objects.due(now).count()
    question = f"Today would bring {would:,} mails; the most of the last {USUAL_DAYS} days was {most:,}."
    if would <= limit:
        if gate.asked_at:
            MailGate.rows().update(asked_at=None, question="")
        return False
    MailGate.rows().update(asked_at=gate.asked_at or now, question=question)
    return True


def _is_allowed(gate: MailGate, now: dt.datetime) -> bool:
    return gate.allowed_until is not None and now < gate.allowed_until <= now + ALLOWED_FOR


def may_claim(gate: MailGate, now: dt.datetime) -> bool:
    """Whether a worker may take mails, were it one as a trial."""
    return gate.switch == Switch.RUNNING and not gate.asked_at and (not gate.is_open or circuit.may_try(gate, now))


def may_go_on(is_trial: bool) -> bool:
    """Whether a worker that sends may send one window more: nobody has paused the run since, or met a dead server."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT switch, circuit_since FROM digest_mailgate WHERE id = 1")
        switch, circuit_since = cursor.fetchone() or (Switch.RUNNING, None)
    return switch != Switch.PAUSED and (is_trial or circuit_since is None)


def reasons(gate: MailGate, now: dt.datetime) -> dict[str, str]:
    """Everything that holds mail back at this moment, by a short name, in words; empty: nothing does."""
    found = {}
    if gate.switch != Switch.RUNNING:
        since = f" since {gate.switched_at:%Y-%m-%d %H:%M} UTC" if gate.switched_at else ""
        found["switch"] = f"Mail is {gate.get_switch_display()}{since}."
    if gate.asked_at:
        found["question"] = f"{gate.question} They wait for your word since {gate.asked_at:%Y-%m-%d %H:%M} UTC."
    if gate.is_open:
        found["circuit"] = _of_circuit(gate, now)
    today = pacing.warm_up(now)
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
