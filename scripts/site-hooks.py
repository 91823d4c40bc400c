# SPDX-License-Identifier: Apache-2.0
"""MkDocs hooks: the files outside docs that pages link to, such as README.md and compose-examples, become pages of the site, and
links lead to them. So the same links work in the repository and on the site."""

import logging
import posixpath
import re
import subprocess
from pathlib import Path

from mkdocs.structure.files import File, InclusionLevel

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)\s#]+)(#[^)\s]*)?(?=\))")
FENCE = re.compile(r"^ *(```|~~~)", re.MULTILINE)

BLOCK = re.compile(r"<pre.*?</pre>", re.DOTALL)
ITEM = re.compile(r"^ *(?:[-*+]|\d+\.) ", re.MULTILINE)
LANGUAGES = {"Containerfile": "docker", ".yaml": "yaml", ".json": "json"}
LANGUAGES |= dict.fromkeys((".container", ".network", ".pod", ".volume", ".service", ".socket"), "ini")

# In strict mode, a warning is an error.
log = logging.getLogger("mkdocs.hooks")
pages = {}  # path in the repository -> path on the site


def on_files(files, config):
    pages.clear()
    tracked = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT), "ls-files", "-z"],
        check=True, capture_output=True, text=True).stdout.split("\0")[:-1]
    waiting = ["README.md"]
    for file in files.documentation_pages():
        pages["docs/" + file.src_uri] = file.src_uri
        waiting += linked("docs/" + file.src_uri, (ROOT / "docs" / file.src_uri).read_text())
    for path in waiting:  # It grows while it is read.
        inside = [name for name in tracked if name.startswith(path + "/")]
        if path in pages or path.startswith("docs/") or not (inside or path in tracked):
            continue
        if path.endswith(".md"):
            pages[path] = "index.md" if path == "README.md" else path
            text = (ROOT / path).read_text()
        elif path in tracked:
            pages[path] = path + ".md"
            text = f"# {path}\n\n" + code(path)
        else:
            pages[path] = path + "/index.md"
            text = listing(path, inside)
        waiting += linked(path, text)
        file = File.generated(config, pages[path], content=text)
        # Pages link to them; mkdocs.yml may place them in the navigation all the same.
        file.inclusion = InclusionLevel.NOT_IN_NAV
        files.append(file)
    return files


def on_page_markdown(markdown, page, config, files):
    source = next(path for path, uri in pages.items() if uri == page.file.src_uri)

    def site(match):
        target = pages.get(resolve(source, match[1]))
        return match[0] if target is None else relative(page.file.src_uri, target) + (match[2] or "")

    return "".join(part if fenced else LINK.sub(site, part) for part, fenced in parts(markdown))


def on_page_content(html, page, config, files):
    """Warns of what Python-Markdown renders differently from GitHub."""
    items = sum(len(ITEM.findall(part)) for part, fenced in parts(page.markdown) if not fenced)
    if items != html.count("<li>"):
        log.warning("%s: a list is not rendered as a list: write an empty line before it, and indent a list within a list"
                    " by 4 spaces", page.file.src_uri)
    if "\\|" in BLOCK.sub("", html):
        log.warning("%s: '\\|' in a table is shown with the backslash", page.file.src_uri)


def listing(directory, names):
    """Returns a page with the files of a directory, or with links to its directories if it has only these."""
    below = [name[len(directory) + 1:] for name in names]
    if all("/" in name for name in below):
        content = "".join(f"- [{child}]({child})\n" for child in dict.fromkeys(name.split("/")[0] for name in below))
    else:
        content = "\n".join(f"## {name}\n\n{code(directory + '/' + name)}" for name in below)
    return f"# {directory}\n\n{content}"


def code(path):
    text = (ROOT / path).read_text()
    name = Path(path)
    language = LANGUAGES.get(name.suffix or name.name) or ("sh" if text.startswith("#!") else "text")
    return f"``` {language}\n{text}```\n"


def linked(path, text):
    """Returns the paths in the repository of what a page links to."""
    return [resolve(path, match[1]) for part, fenced in parts(text) if not fenced for match in LINK.finditer(part)]


def resolve(path, link):
    base = path if (ROOT / path).is_dir() else posixpath.dirname(path)
    return posixpath.normpath(posixpath.join(base, link))


def relative(page, target):
    return posixpath.relpath(target, posixpath.dirname(page) or ".")


def parts(markdown):
    """Yields the text of a page in parts, each with whether it is a code block."""
    lines, fenced = [], False
    for line in markdown.splitlines(keepends=True):
        if not FENCE.match(line):
            lines.append(line)
        elif fenced:
            yield "".join([*lines, line]), True
            lines, fenced = [], False
        else:
            yield "".join(lines), False
            lines, fenced = [line], True
    yield "".join(lines), fenced
