"""Take the words with which a node explained its last failure out of drafts: they may quote somebody's password."""

from django.db import migrations


def forget_words(apps, _schema_editor):
    for draft in apps.get_model("wizard", "Draft").objects.all():
        changed = [field for field in ("probe", "member_probe") if _strip(getattr(draft, field))]
        if changed:
            draft.save(update_fields=changed)


def _strip(probe):
    answer = (probe or {}).get("answer") or {}
    return answer.get("bootstrap_status", {}).pop("error_details", None)


class Migration(migrations.Migration):
    dependencies = [("wizard", "0002_recover_a_cluster")]
    operations = [migrations.RunPython(forget_words, migrations.RunPython.noop, elidable=True)]
