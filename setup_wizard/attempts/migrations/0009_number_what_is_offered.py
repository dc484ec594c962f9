"""Number the event since which an attempt offers its choices; 0 for attempts of before, which any event fits."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("attempts", "0008_words_of_the_node"),
    ]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="offered_seq",
            field=models.PositiveIntegerField(
                db_default=0, default=0, verbose_name="the event since which it offers these choices"
            ),
        ),
    ]
