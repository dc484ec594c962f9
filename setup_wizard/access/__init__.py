"""Signing in, roles, API tokens and the audit log.

views, forms          signing in and out, changing a password, the first administrator
first_admin           the first administrator, created with a setup token
interrupted_forms     a form that was sent after its session had expired
tokens                API tokens; `digest` serves every kind of token
backends              how user names and passwords are checked
password_limits       limits on wrong passwords
password_validation   refuses passwords that are easy to guess
hashing               hashes two passwords at a time
throttle              limits per user and minute
client_address        where a request comes from
middleware            what happens to every request and response
sessions              how long a session lasts
permissions, roles    what users may do, and the four groups that come with the product
audit, audit_actions  the audit log, and what this app records in it; signals records sign-ins
append_only           rows that are never changed
admin, admin_site     users, groups and the audit log in the admin site
"""
