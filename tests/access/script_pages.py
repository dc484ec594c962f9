"""A small site for the browser tests: the sign-in pages, and a page with every element that `app.js` handles.

uvicorn tests.access.script_pages:application
"""

import os
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.asgi import get_asgi_application
from django.http import HttpResponse
from django.template import RequestContext, Template
from django.urls import include, path
from django.utils import timezone

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
settings.ROOT_URLCONF = __name__
application = get_asgi_application()

PARTS = """{% extends "base.html" %}{% block title %}Parts{% endblock %}{% block main %}
<h1>Parts</h1>
{% if wrong %}<section class="problem" aria-labelledby="p"><h2 id="p">Not saved</h2></section>{% endif %}
<p>Running for <time id="elapsed" data-since="{{ since|date:"c" }}">some time</time></p>
{% include "_copy.html" with text="AB:CD" what="the SHA-256" %}
<form method="post" action="/refused/" hx-post="/refused/" hx-target="#main" hx-select="#main" hx-swap="outerHTML">
  {% csrf_token %}<button type="submit">Save</button>
</form>
<a href="/second/"
   hx-get="/second/" hx-target="#main" hx-select="#main" hx-swap="outerHTML" hx-push-url="true">Go on</a>
<button type="button" hx-get="/panel/" hx-target="#panel">Refresh</button>
<button type="button" hx-get="/broken/" hx-target="#panel">Break</button>
<button type="button" hx-get="/gone/" hx-target="#panel">Vanish</button>
<div id="panel"></div>
{% endblock %}"""


def draw(request, *, wrong=False):
    context = {"since": timezone.now() - timedelta(minutes=2, seconds=5), "wrong": wrong}
    return HttpResponse(Template(PARTS).render(RequestContext(request, context)), status=422 if wrong else 200)


@login_not_required
def show_parts(request):
    return draw(request)


@login_not_required
def refuse(request):
    return draw(request, wrong=True)


@login_not_required
def show_second(request):
    page = Template('{% extends "base.html" %}{% block main %}<h1>Second</h1>{% endblock %}')
    return HttpResponse(page.render(RequestContext(request, {})))


@login_not_required
def show_panel(request):
    return HttpResponse('<p class="problem">of the panel</p>')


@login_not_required
def break_down(request):
    return HttpResponse("down", status=503)


urlpatterns = [
    path("parts/", show_parts),
    path("refused/", refuse),
    path("second/", show_second),
    path("panel/", show_panel),
    path("broken/", break_down),
    path("", include("setup_wizard.access.urls")),
]
