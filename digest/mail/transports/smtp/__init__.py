"""Mail over SMTP, many letters a connection: the next envelope leaves with the letter before it (RFC 2920).

`connect()` opens a session as the settings say, with smtplib: greeting, STARTTLS and AUTH are its business.
`Session(connection).send(letters)` sends over that one; `send_all(letters, connect)` over many at a time, for a
server that is far away, and `Pool` keeps those connections for more. Each gives one Answer for each Letter.
"""

from digest.mail.transports.smtp.connect import connect
from digest.mail.transports.smtp.dialogue import AT_SENDER
from digest.mail.transports.smtp.many_connections import Pool, send_all
from digest.mail.transports.smtp.session import Session
from digest.mail.transports.smtp.wire import Patience

__all__ = ["AT_SENDER", "Patience", "Pool", "Session", "connect", "send_all"]
