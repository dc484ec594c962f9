"""Tell people and other programs when a setup ends or needs an operator.

sources         where the events come from; other apps register theirs
attempt_events  the events of attempts
models          webhooks, notices, deliveries, and how far each source has been read
outbox          reads new events, and makes a notice and its deliveries of each that matters
deliveries      one try: claim, send, record, plan the next
schedule        which events are to be read and which deliveries are due, for the supervisor
people          who wants a notice by e-mail or in the browser
news            the topic that tells pages of new notices
email           one e-mail
formats         the body that a receiver expects
signing         the Standard Webhooks signature
sending         one POST to a checked address
secrets         URL and signing key of a webhook, encrypted
"""
