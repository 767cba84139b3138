/* memcpy and memmove for x86_64, in place of musl's.
 *
 * musl copies with `rep movsq`, which takes dozens of cycles to get going. Most copies of this
 * program are of a few dozen bytes, and 42 % of its time went there.
 *
 * The build script names the functions: `memcpy` and `memmove` for musl, other names elsewhere, so
 * that tests can call them beside the system's. It also keeps the compiler from taking a loop for
 * memcpy and replacing it by a call of itself.
 */

#include <stddef.h>
#include <stdint.h>

/* Types that may be read and written at any address, whatever lies there. */
typedef uint16_t u16 __attribute__((aligned(1), may_alias));
typedef uint32_t u32 __attribute__((aligned(1), may_alias));
typedef uint64_t u64 __attribute__((aligned(1), may_alias));
typedef char v16 __attribute__((vector_size(16), aligned(1), may_alias));

/* Copies `size` to 2 * `size` bytes as two overlapping pieces: the first and the last. Both are
 * read before one is written, so source and destination may overlap. */
#define COPY_BOTH_ENDS(type)                             \
    do {                                                 \
        const type head = *(const type *)from;           \
        const type tail = *(const type *)(from_end - sizeof(type)); \
        *(type *)to = head;                              \
        *(type *)(to_end - sizeof(type)) = tail;         \
    } while (0)

/* The copy by 16-byte pieces is faster up to here, `rep movsb` beyond. */
enum { LONG = 512 };

static inline void copy(char *to, const char *from, size_t n)
{
    char *const to_end = to + n;
    const char *const from_end = from + n;

    if (n <= 32) {
        if (n >= 16)
            COPY_BOTH_ENDS(v16);
        else if (n >= 8)
            COPY_BOTH_ENDS(u64);
        else if (n >= 4)
            COPY_BOTH_ENDS(u32);
        else if (n >= 2)
            COPY_BOTH_ENDS(u16);
        else if (n == 1)
            *to = *from;
        return;
    }

    /* How far the destination begins after the source, and the source after the destination; the
     * one that is not so wraps around to a huge number. */
    const size_t ahead = (uintptr_t)to - (uintptr_t)from;
    const size_t behind = (uintptr_t)from - (uintptr_t)to;

    if (ahead < n) {
        /* The destination overwrites the source's end: copy from the end. The first bytes, which
         * the pieces do not cover, are read before they are overwritten. */
        const v16 head = *(const v16 *)from;
        for (size_t left = n; left > 16; left -= 16)
            *(v16 *)(to + left - 16) = *(const v16 *)(from + left - 16);
        *(v16 *)to = head;
    } else if (n <= LONG || behind < n) {
        /* From the beginning, with the last bytes read first. Also for long copies whose
         * destination overwrites the source's beginning, as when a vector loses its first element:
         * `rep movsb` copies those byte by byte. */
        const v16 tail = *(const v16 *)(from_end - 16);
        for (size_t done = 0; done + 16 < n; done += 16)
            *(v16 *)(to + done) = *(const v16 *)(from + done);
        *(v16 *)(to_end - 16) = tail;
    } else {
        __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
    }
}

void *MEMMOVE(void *to, const void *from, size_t n)
{
    copy(to, from, n);
    return to;
}

/* Overlap costs memmove two comparisons, and short copies none: one code for both. */
void *MEMCPY(void *to, const void *from, size_t n)
{
    return MEMMOVE(to, from, n);
}
