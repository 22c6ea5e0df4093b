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

# Each has a name that another file of its folder has, too, or hides by a header.
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
# With the lines that it goes on in.
CONDITION = re.compile(r'^[ \t]*#[ \t]*(?:if|elif)(?:.*\\\n)*.*', re.MULTILINE)


class Source:
    """A file, and which macros it ends or asks for."""

    def __init__(self, path):
        self.path = path
        self.size = os.path.getsize(path)
        with open(path, encoding='utf-8') as file:
            text = file.read()
        self.defined = set(DEFINE.findall(text))
        self.ended = self.defined | set(UNDEFINE.findall(text))
        self.tested = set(re.findall(r'\w+', ' '.join(CONDITION.findall(text))))


class Bundle:
    """Objects and sources of one folder, all built after the same files."""

    def __init__(self, after):
        self.after = after
        self.objects = []
        self.sources = []
        self.size = 0
        # A macro of a header that an earlier source ends would be missing in a condition, without a
        # message.
        self.gone = set()

    def takes(self, source):
        return (
            len(self.sources) < MOST_FILES
            and self.size + source.size <= MOST_BYTES
            and self.gone.isdisjoint(source.tested)
        )

    def add(self, obj, source):
        self.objects.append(obj)
        self.sources.append(source)
        self.size += source.size
        self.gone |= source.ended

    def text(self):
        """Includes all sources. A macro ends with the source that defines it."""
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
        sys.exit(f'bundle.py: {path}: no line to compile files that are there')
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
    print(f'{part}: {sum(len(bundle.sources) for bundle in bundles)} files in {len(bundles)} bundles')


found = {
    name: os.path.join(folder, name)
    for folder, _, names in os.walk('obj')
    for name in names
    if name.endswith('.ninja')
}
for part in sys.argv[1:]:
    if f'{part}.ninja' not in found:
        sys.exit(f'bundle.py: no {part}.ninja below obj; has the part another name now?')
    rewrite(part, found[f'{part}.ninja'])
