"""Letters over many connections, of which some die."""

from __future__ import annotations

import smtplib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.mail.messages import Answer, Letter
from digest.mail.transports.smtp import Patience, send_all, wire
from digest.mail.transports.smtp.many_connections import SPARES, TRIES
from digest.mail.transports.smtp.poll_interval import Pace
from tests.digest.mail.transports.smtp.test_session import (
    PLACES,
    PLAIN,
    TWISTS,
    is_beyond_telling,
    letter,
    patience_with,
)
from tests.scripted import OFFERS, Server, Twist

LETTERS = [letter(key) for key in range(60)]


def send(server: Server, letters: list[Letter] = LETTERS, connections: int = 5, messages: int = 0) -> dict[int, Answer]:
    """By key; every letter exactly once."""
    answers = list(send_all(letters, server.connect, connections, messages=messages, patience=patience_with(server)))
    assert sorted(answer.key for answer in answers) == [one.key for one in letters]
    return {answer.key: answer for answer in answers}


def taken(answers: dict[int, Answer]) -> int:
    return sum(answer.is_taken for answer in answers.values())


class Together(Server):
    """So many connections are handed over only once all of them are open, or the first may carry everything."""

    def __init__(self, parties: int) -> None:
        super().__init__()
        self.gate = threading.Barrier(parties)

    def connect(self) -> smtplib.SMTP:
        connection = super().connect()
        self.gate.wait(20)
        return connection


def test_all_connections_carry_letters() -> None:
    with Together(5) as server:
        assert taken(send(server)) == 60
    assert sorted(server.promised) == list(range(60))
    assert server.connections == 5


@pytest.mark.skipif(not hasattr(socket, "TCP_INFO"), reason="only Linux says how far away a server is")
@pytest.mark.parametrize(("nearness", "rests"), [(wire.NEAR, True), (0, False)])
def test_answers_of_a_near_server_are_let_gather(monkeypatch: pytest.MonkeyPatch, nearness: float, rests: bool) -> None:
    monkeypatch.setattr(wire, "NEAR", nearness)
    rested: list[float] = []
    rest = Pace.rest
    monkeypatch.setattr(Pace, "rest", lambda pace, owed: rested.append(rest(pace, owed)) or rested[-1])
    with Together(16) as server:
        assert taken(send(server, connections=16)) == 60
    assert any(rested) == rests


def test_no_more_connections_are_opened_than_there_are_letters() -> None:
    with Together(3) as server:  # a fourth would wait in vain
        assert taken(send(server, LETTERS[:3])) == 3
        assert send(server, []) == {}
    assert server.connections == 3


def test_a_connection_carries_no_more_than_it_may() -> None:
    with Server() as server:
        assert taken(send(server, messages=7)) == 60
    assert server.connections >= 60 / 7
    assert sum(line.upper() == b"QUIT\r\n" for line in server.lines) == server.connections


def test_a_server_that_wants_a_new_connection_now_and_then_gets_one() -> None:
    script = {("MAIL", number): Twist(b"421 4.7.0 That is enough for one\r\n", "close") for number in range(9, 60, 10)}
    with Server(script) as server:
        assert taken(send(server)) == 60
    assert sorted(server.promised) == list(range(60))


def test_what_a_dead_connection_certainly_did_not_take_goes_over_another() -> None:
    with Server({("DATA", 20): Twist(then="close"), ("RCPT", 30): Twist(then="close")}) as server:
        assert taken(send(server)) == 60
    assert sorted(server.promised) == list(range(60))


def test_a_letter_in_doubt_is_not_sent_again() -> None:
    with Server({("DOT", 20): Twist(then="close")}) as server:
        answers = send(server)
    assert taken(answers) == 59
    (doubtful,) = [key for key, answer in answers.items() if answer.in_doubt]
    assert server.swallowed == [doubtful]
    assert server.promised.count(doubtful) == 0


def test_a_letter_that_ends_every_connection_is_given_up() -> None:
    script = {("READ", number): Twist(then="close") for number in range(TRIES)}
    with Server(script, PLAIN, receive_buffer=4096) as server:
        long = letter(1, b"y" * 20_000_000 + b"\r\n")
        answers = send(server, [long])
    assert (answers[1].code, answers[1].in_doubt) == (0, False)
    assert server.connections <= TRIES + 1


def test_a_server_that_is_down_is_not_asked_for_ever() -> None:
    tries: list[int] = []

    def connect() -> smtplib.SMTP:
        tries.append(1)
        return smtplib.SMTP("127.0.0.1", port, timeout=2)

    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    answers = list(send_all(LETTERS, connect, 5))
    assert [(answer.code, answer.in_doubt) for answer in answers] == [(0, False)] * 60
    assert "could not be reached" in answers[0].text and "refused" in answers[0].text
    assert len(tries) <= 5 + SPARES


def test_a_server_that_takes_nobody_is_not_asked_for_ever() -> None:
    with Server({("MAIL", number): Twist(b"421 4.3.2 Closed today\r\n", "close") for number in range(99)}) as server:
        answers = send(server)
    assert {answer.code for answer in answers.values()} <= {0, 421}
    assert all("Closed today" in answer.text for answer in answers.values())
    assert server.connections <= 5 + SPARES


def test_an_error_that_is_not_the_servers_is_raised() -> None:
    def connect() -> smtplib.SMTP:
        raise KeyError("EMAIL_HOST")

    with pytest.raises(KeyError):
        list(send_all(LETTERS, connect, 3))


def test_letters_are_taken_in_the_callers_thread_and_not_far_ahead() -> None:
    given_out: list[tuple[int, int]] = []

    def letters() -> Iterator[Letter]:
        for one in LETTERS:
            given_out.append((one.key, threading.get_ident()))
            yield one

    with Server() as server:
        answered = 0
        for _ in send_all(letters(), server.connect, 4, patience=patience_with(server)):
            answered += 1
            assert len(given_out) - answered <= 2 * 4
    assert answered == 60
    assert {thread for _, thread in given_out} == {threading.get_ident()}


def test_whoever_stops_listening_closes_all() -> None:
    with Server() as server:
        answers = send_all(LETTERS, server.connect, 5, patience=patience_with(server))
        next(answers)
        answers.close()
    assert len(server.promised) <= 10
    assert not [thread for thread in server._threads if thread.is_alive()]


def test_a_connection_that_is_slow_to_open_holds_nobody_up_once_all_is_answered() -> None:
    opened = threading.Event()

    def connect() -> smtplib.SMTP:
        if threading.current_thread().name.endswith("_0"):
            opened.wait(20)
        return server.connect()

    with Server() as server:
        began = time.monotonic()
        assert sum(answer.is_taken for answer in send_all(LETTERS, connect, 4)) == 60
        assert time.monotonic() - began < 10
        opened.set()


@settings(max_examples=40, deadline=None)
@given(script=st.dictionaries(PLACES, TWISTS, max_size=4), messages=st.sampled_from([0, 1, 3]))
def test_whatever_the_server_does_each_letter_has_one_true_answer(
    script: dict[tuple[str, int], Twist], messages: int
) -> None:
    letters = LETTERS[:9]
    with Server(script, OFFERS) as server:
        found = list(
            send_all(
                letters, server.connect, 3, messages=messages, patience=Patience(command=0.2, block=0.2, final=0.2)
            )
        )
    assert sorted(answer.key for answer in found) == list(range(9))
    if is_beyond_telling(script):
        return
    for answer in found:
        if answer.is_taken:
            assert server.promised.count(answer.key) == 1
        elif not answer.in_doubt:
            assert answer.key not in server.promised + server.swallowed
