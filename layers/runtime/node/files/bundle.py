"""Compiles the C++ files of Node's parts in bundles.

Most of the time of nearly every file of V8 goes into parsing the same hundred headers. So files of
one folder are included in one file, and that is compiled in their place.

Run in out/Release, with the names of parts: each has a file for ninja, which gyp wrote. Files that
are not there yet stay alone, and a part that is in bundles stays as it is. What is in which bundle
follows from names and contents of files alone.
"""

import os
import re
import sys

# Larger bundles save little more, and a compiler takes up to 1 GB for one of these.
MOST_FILES = 24
MOST_BYTES = 240_000

# Each has a name that another file of its folder has, too, or that a header of another one has.
ALONE = {
    'concurrent-marker.cc',
    'crypto_hash.cc',
    'crypto_util.cc',
    'csa-generator.cc',
    'node_snapshotable.cc',
}

# The build of one object from one source, and what must be made before.
COMPILE = re.compile(r'build (\S+): cxx (\S+)( \|\| .*)?')
DEFINE = re.compile(r'^[ \t]*#[ \t]*define[ \t]+(\w+)', re.MULTILINE)
UNDEFINE = re.compile(r'^[ \t]*#[ \t]*undef[ \t]+(\w+)', re.MULTILINE)
# With its continuation lines.
CONDITION = re.compile(r'^[ \t]*#[ \t]*(?:if|elif)(?:.*\\\n)*.*', re.MULTILINE)


class Source:
    """A file, and the macros that it undefines or tests."""

    def __init__(self, path):
        self.path = path
        self.size = os.path.getsize(path)
        with open(path, encoding='utf-8') as file:
            text = file.read()
        self.defined = set(DEFINE.findall(text))
        self.undefined = self.defined | set(UNDEFINE.findall(text))
        self.tested = set(re.findall(r'\w+', ' '.join(CONDITION.findall(text))))


class Bundle:
    """Objects and sources of one folder, all built after the same files."""

    def __init__(self, after):
        self.after = after
        self.objects = []
        self.sources = []
        self.size = 0
        # If a source undefines a header's macro, a later condition that tests it is silently false.
        self.undefined = set()

    def takes(self, source):
        return (
            len(self.sources) < MOST_FILES
            and self.size + source.size <= MOST_BYTES
            and self.undefined.isdisjoint(source.tested)
        )

    def add(self, obj, source):
        self.objects.append(obj)
        self.sources.append(source)
        self.size += source.size
        self.undefined |= source.undefined

    def text(self):
        """Includes all sources, and undefines after each what it defines."""
        lines = []
        for number, source in enumerate(self.sources):
            # Each file that is a module of Node's makes a variable of this name.
            lines.append(f'#define _module _module_{number}')
            lines.append(f'#include "{source.path}"')
            lines += [f'#undef {name}' for name in ['_module', *sorted(source.defined)]]
        return '\n'.join(lines) + '\n'


def collect(lines):
    bundles = []
    current = {}
    for line in lines:
        match = COMPILE.fullmatch(line)
        if not match:
            continue
        obj, path, after = match.groups('')
        if os.path.basename(path) in ALONE or not os.path.exists(path):
            continue
        key = (os.path.dirname(path), after)
        source = Source(path)
        if key not in current or not current[key].takes(source):
            current[key] = Bundle(after)
            bundles.append(current[key])
        current[key].add(obj, source)
    return [bundle for bundle in bundles if len(bundle.sources) > 1]


def rewrite(part, path):
    with open(path, encoding='utf-8') as file:
        # A line that ends in "$" goes on in the next one.
        lines = re.sub(r'\$\n *', '', file.read()).splitlines()
    if any(f' obj/{part}.0.o' in line for line in lines):
        print(f'{part}: in bundles already')
        return
    bundles = collect(lines)
    if not bundles:
        sys.exit(f'bundle.py: {path}: no two files of one folder to bundle')
    # The object of a bundle stands for its first one; the others go.
    objects = {}
    compiles = []
    for number, bundle in enumerate(bundles):
        name = f'{part}.{number}'
        # Beside the build's files, so that names of sources stay as they are in messages.
        with open(f'{name}.cc', 'w', encoding='utf-8') as file:
            file.write(bundle.text())
        objects.update(dict.fromkeys(bundle.objects))
        objects[bundle.objects[0]] = f'obj/{name}.o'
        compiles.append(f'build obj/{name}.o: cxx {name}.cc{bundle.after}')
    kept = []
    for line in lines:
        match = COMPILE.fullmatch(line)
        if match and match[1] in objects:
            continue
        if line.startswith('build '):
            words = [objects.get(word, word) for word in line.split()]
            line = ' '.join(word for word in words if word is not None)
        kept.append(line)
    with open(path, 'w', encoding='utf-8') as file:
        # All variables are before the builds that they are for.
        file.write('\n'.join(kept + compiles) + '\n')
    count = sum(len(bundle.sources) for bundle in bundles)
    print(f'{part}: {count} files in {len(bundles)} bundles')


for part in sys.argv[1:]:
    found = [folder for folder, _, names in os.walk('obj') if f'{part}.ninja' in names]
    if len(found) != 1:
        sys.exit(f'bundle.py: want one {part}.ninja below obj, found {len(found)}')
    rewrite(part, os.path.join(found[0], f'{part}.ninja'))
