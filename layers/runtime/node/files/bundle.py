"""Compiles the C++ files of Node's parts in bundles.

Most of the time of nearly every file of V8 goes into parsing the same hundred headers. So files of
one folder are included in one file, and that is compiled in their place.

Run in out/Release, with the names of parts: each has a file for ninja, which gyp wrote. Files that
are not there yet stay alone. What is in which bundle follows from names and sizes of files alone.
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


class Bundle:
    """Objects and sources of one folder, all built after the same files."""

    def __init__(self, after):
        self.after = after
        self.objects = []
        self.sources = []
        self.size = 0

    def takes(self, size):
        return len(self.sources) < MOST_FILES and self.size + size <= MOST_BYTES

    def add(self, obj, source, size):
        self.objects.append(obj)
        self.sources.append(source)
        self.size += size

    def text(self):
        """Includes all sources. A macro ends with the source that defines it."""
        lines = []
        for number, source in enumerate(self.sources):
            with open(source, encoding='utf-8') as file:
                macros = sorted(set(DEFINE.findall(file.read())))
            # Each file that is a module of Node's makes a variable of this name.
            lines.append(f'#define _module _module_{number}')
            lines.append(f'#include "{source}"')
            lines += [f'#undef {name}' for name in ['_module', *macros]]
        return '\n'.join(lines) + '\n'


def collect(lines):
    bundles = []
    current = {}
    for line in lines:
        match = COMPILE.fullmatch(line)
        if not match:
            continue
        obj, source, after = match.groups('')
        if os.path.basename(source) in ALONE or not os.path.exists(source):
            continue
        key = (os.path.dirname(source), after)
        size = os.path.getsize(source)
        if key not in current or not current[key].takes(size):
            current[key] = Bundle(after)
            bundles.append(current[key])
        current[key].add(obj, source, size)
    return [bundle for bundle in bundles if len(bundle.sources) > 1]


def rewrite(part, path):
    with open(path, encoding='utf-8') as file:
        # A line that ends in "$" goes on in the next one.
        lines = re.sub(r'\$\n *', '', file.read()).splitlines()
    bundles = collect(lines)
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


for folder, _, names in sorted(os.walk('obj')):
    for part in sys.argv[1:]:
        if f'{part}.ninja' in names:
            rewrite(part, os.path.join(folder, f'{part}.ninja'))
