// What most files of Node include in the end.
#include "async_wrap-inl.h"
#include "base_object-inl.h"
#include "env-inl.h"
#include "memory_tracker-inl.h"
#include "node_internals.h"
#include "util-inl.h"
#include "v8.h"
