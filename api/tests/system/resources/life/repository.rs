//! Three editions of a site: `v1` is the example Wagtail; `v2` adds a column, and says on each page which edition it is; `v3` deletes
//! texts and then fails.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::system::machines::yard::run;

const COLUMN: &str = "from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [('articles', '0001_initial')]

    operations = [
        migrations.AddField('article', 'summary', models.CharField(default='', max_length=200)),
    ]
";
const HARM: &str = "from django.db import migrations


class Migration(migrations.Migration):

    # What was done before the failure stays.
    atomic = False
    dependencies = [('articles', '0002_summary')]

    operations = [
        migrations.RunSQL(\"UPDATE articles_article SET body = ''\"),
        migrations.RunSQL('ALTER TABLE articles_article DROP COLUMN not_there'),
    ]
";

/// A repository with the editions as tags.
pub fn make(at: &Path) -> PathBuf {
    let repository = at.join("wagtail");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ansible/examples/wagtail");
    run(Command::new("cp").arg("-r").arg(source).arg(&repository));
    let git = |arguments: &[&str]| run(Command::new("git").arg("-C").arg(&repository).args(arguments));
    let commit = |tag: &str| {
        git(&["add", "--all"]);
        git(&["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "--message", tag]);
        git(&["tag", tag]);
    };
    let articles = repository.join("project/articles");
    let write = |path: &str, text: &str| fs::write(articles.join(path), text).unwrap();
    let edit = |path: &str, from: &str, to: &str| {
        let text = fs::read_to_string(articles.join(path)).unwrap();
        assert!(text.contains(from), "{path}: {from}");
        fs::write(articles.join(path), text.replace(from, to)).unwrap();
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    commit("v1");
    write("migrations/0002_summary.py", COLUMN);
    edit("models.py", "from wagtail.models", "from django.db import models\nfrom wagtail.models");
    edit(
        "models.py",
        "    content_panels",
        "    summary = models.CharField(default='', max_length=200)\n\n    content_panels",
    );
    edit("templates/articles/article.html", "</main>", "<p>second edition {{ page.summary }}</p></main>");
    commit("v2");
    write("migrations/0003_harm.py", HARM);
    commit("v3");
    repository
}
