"""The common alternative: each open stream queries the database by itself, once a second.

uvicorn benchmarks.peer:application
"""

import asyncio
import os

from asgiref.sync import sync_to_async
from django.apps import apps
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import StreamingHttpResponse
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
settings.ROOT_URLCONF = __name__
application = get_asgi_application()
Attempt = apps.get_model("attempts", "Attempt")


async def watch(_request, attempt_id):
    def look():
        return Attempt.objects.values_list("last_seq", flat=True).get(pk=attempt_id)

    async def lines():
        told = None
        while True:
            seq = await sync_to_async(look)()
            if seq != told:
                told = seq
                yield f"id: {seq}\nevent: changed\ndata: {seq}\n\n"
            await asyncio.sleep(1)

    return StreamingHttpResponse(lines(), content_type="text/event-stream")


urlpatterns = [path("attempts/<uuid:attempt_id>/stream", watch)]
