"""Change accounts as an administrator does in the admin site."""

from .entries import SIGN_IN


def change_groups(desk, user, groups):
    stamps = {"last_login_0": "", "last_login_1": ""}
    fields = {"username": user.username, "is_active": "on", "groups": [group.pk for group in groups], **stamps}
    return desk.post(f"/admin/auth/user/{user.pk}/change/", fields)


def set_password(desk, user):
    fields = {"password1": "nine quiet otters", "password2": "nine quiet otters", "usable_password": "true"}
    return desk.post(f"/admin/auth/user/{user.pk}/password/", fields)


def first_administrator(token):
    return {"token": token, "username": "ada", "password1": SIGN_IN, "password2": SIGN_IN}
