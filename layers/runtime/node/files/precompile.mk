# Run in out/Release, when V8's generated headers are there. A precompiled header for each large part of V8 and for Node: most of
# the time of nearly every file would go into parsing the same hundred headers. gcc takes one only under the flags it was made with, so
# they are those of one of the part's own files.
parts = v8_base_without_compiler v8_compiler v8_turboshaft v8_initializers libnode

all: $(parts:%=pch/%.h.gch)

pch/%.h.gch: $(FILES)/%.h
	mkdir -p pch
	cp $< pch/$*.h
	command=$$(ninja -t commands $* | grep -- ' -c .*/$*\.[^/ ]*\.o$$' | head -n 1 | sed 's/ -MMD -MF [^ ]*//; s/ -c .*//'); \
	  eval "$$command -x c++-header -o $@ pch/$*.h"
	ninja=$$(find obj -name $*.ninja); \
	  sed -i '1i cflags_pch_cc = -include pch/$*.h -Werror=invalid-pch' "$$ninja"
