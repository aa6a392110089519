// Heaps: what the allocator does with memory that has been freed.
//
// glibc gives each thread a heap of its own, and the end of a heap back to the system as soon as
// 128 KiB of it are free; a loop that takes and frees large messages would fault every page in
// again for each of them. So keep freed memory, and give back what has stayed free for a while.
//
// malloc_trim() gives back the free pages inside every heap, but the free end of none but the main
// thread's: a thread has to give the end of its heap back itself.
//
// With another allocator (a sanitizer's) all of this does nothing.
#pragma once

#include <cstddef>

namespace anywire::heap {

// Keeps freed memory for those who need some next. Thread: start-up.
void keep_freed_memory();

// Freed bytes in all heaps, those whose pages have been given back included. Any thread.
std::size_t freed_bytes();

// Gives back the free pages inside all heaps. Any thread.
void give_back_holes();

// Gives back the free end of the calling thread's heap. Any thread.
void give_back_end();

}  // namespace anywire::heap
