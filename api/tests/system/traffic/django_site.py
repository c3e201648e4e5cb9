"""A Django site as `make test-traffic` puts it behind the gateway: a form with CSRF protection, TLS only.

Trusts only the header X-Forwarded-Proto; a wrong value shows as a redirect loop or as a refused form.
"""

import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.urls import path

settings.configure(
    SECRET_KEY="only for this test",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["django.localhost"],
    SECURE_SSL_REDIRECT=True,
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    USE_X_FORWARDED_PORT=True,
    CSRF_COOKIE_SECURE=True,
    SESSION_COOKIE_SECURE=True,
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware", "django.middleware.csrf.CsrfViewMiddleware"],
)


def form(request):
    if request.method == "POST":
        return HttpResponse(f"{request.POST['name']} from {request.META['HTTP_X_FORWARDED_FOR']} at {request.build_absolute_uri()}")
    return HttpResponse(f'<form method="post"><input name="csrfmiddlewaretoken" value="{get_token(request)}"></form>')


urlpatterns = [path("form/", form)]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Handler(WSGIRequestHandler):
    def log_message(self, *_):
        pass


server = Server(("127.0.0.1", 0), Handler)
server.set_app(get_wsgi_application())
print(server.server_port, flush=True)
sys.stdout.close()
server.serve_forever()
