"""A second factor for staff: six digits from an app (TOTP), and recovery codes that each work once."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from django_otp import match_token
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

RECOVERY_CODES = 10
REQUIRED = "required"


def is_set_up(user: Any) -> bool:
    return bool(TOTPDevice.objects.filter(user=user, confirmed=True).exists())


def is_missing(user: Any) -> bool:
    """Return whether the session of this signed-in user may not open the admin yet."""
    return user.is_staff and not user.is_verified() and needs_code(user)


def needs_code(user: Any) -> bool:
    """Return whether a password alone is not enough for this user."""
    return settings.ADMIN_TOTP == REQUIRED or is_set_up(user)


def begin(user: Any) -> TOTPDevice:
    """Return the device the user is about to set up: the same one until it is confirmed."""
    device, _ = TOTPDevice.objects.get_or_create(user=user, confirmed=False, defaults={"name": "app"})
    return device


@transaction.atomic
def confirm(user: Any, code: str) -> tuple[TOTPDevice, list[str]] | None:
    """Confirm the device with a code of it. Return it with new recovery codes; None when the code is wrong."""
    device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=False).first()
    if device is None or is_set_up(user) or not device.verify_token(_plain(code)):
        return None
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    return device, _new_recovery_codes(user)


def verify(user: Any, code: str) -> Device | None:
    """Return the device that accepts the code, now used up; None when none does."""
    return match_token(user, _plain(code))


@transaction.atomic
def remove(user: Any) -> bool:
    """Forget the user's second factor. Return whether there was one."""
    had_one = is_set_up(user)
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()
    return had_one


def _new_recovery_codes(user: Any) -> list[str]:
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="recovery codes", confirmed=True)
    codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return codes


def _plain(code: str) -> str:
    """The code without the spaces and hyphens people type."""
    return "".join(code.split()).replace("-", "").lower()
