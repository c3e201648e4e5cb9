"""Creates the home page, the site and its administrator, once. Reads JSON from stdin: hostname, port, title, username, password.

Everything that exists already belongs to the editors, and is left alone.
"""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cms.settings")
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.db import transaction  # noqa: E402
from wagtail.models import Page, Site  # noqa: E402

from articles.models import Article  # noqa: E402


@transaction.atomic
def main():
    given = json.load(sys.stdin)
    users = get_user_model().objects
    if not Article.objects.exists():
        root = Page.get_first_root_node()
        Site.objects.all().delete()
        # Wagtail's own page, which says that Wagtail is installed.
        root.get_children().delete()
        root.refresh_from_db()
        home = root.add_child(instance=Article(title=given["title"], slug="home"))
        Site.objects.create(
            hostname=given["hostname"],
            port=given["port"],
            site_name=given["title"],
            root_page=home,
            is_default_site=True,
        )
        print("created the home page")
    if given["password"] and not users.filter(is_superuser=True).exists():
        users.create_superuser(given["username"], "", given["password"])
        print("created the administrator")


main()
