// SPDX-License-Identifier: GPL-2.0-only
/* Dies in a chain of functions of a namespace, of a class and of a template. */
#include <stdlib.h>

#define INLINE inline __attribute__((always_inline))
#define OUTLINE __attribute__((noinline))

static volatile int after;

namespace space
{
struct thing {
	int value;

	INLINE int method(int n)
	{
		if (n)
			abort();
		return value + n;
	}
};

template <typename T> INLINE T folded(thing &object, T n)
{
	return object.method(n) + 1;
}

OUTLINE int real(int n)
{
	thing object = { n };

	after = folded<int>(object, n);
	return after;
}
}

int main(int argc, char **)
{
	after = space::real(argc);
	return after;
}
