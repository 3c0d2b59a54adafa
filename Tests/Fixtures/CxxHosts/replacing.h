// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Replaces operator new and operator delete: the blocks are not malloc's, for 64 bytes in front of each belong to the operators. With
// REPLACES_SIZED, the sized forms are replaced too; else they are the C++ library's, which call these.

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

std::atomic<long> replaced_live{0};

static void *tag(void *block, std::size_t offset) {
  if (!block) throw std::bad_alloc();
  auto *words = reinterpret_cast<std::uintptr_t *>(static_cast<char *>(block) + offset);
  words[-1] = 0x1eaf;
  words[-2] = reinterpret_cast<std::uintptr_t>(block);
  replaced_live++;
  return words;
}

static void release(void *pointer) noexcept {
  if (!pointer) return;
  auto *words = static_cast<std::uintptr_t *>(pointer);
  if (words[-1] != 0x1eaf) std::abort();
  words[-1] = 0;
  replaced_live--;
  std::free(reinterpret_cast<void *>(words[-2]));
}

static void *allocate_aligned(std::size_t size, std::align_val_t alignment) {
  std::size_t offset = static_cast<std::size_t>(alignment) < 64 ? 64 : static_cast<std::size_t>(alignment);
  return tag(std::aligned_alloc(offset, (size + 2 * offset - 1) / offset * offset), offset);
}

void *operator new(std::size_t size) { return tag(std::malloc(size + 64), 64); }
void *operator new[](std::size_t size) { return tag(std::malloc(size + 64), 64); }
void *operator new(std::size_t size, const std::nothrow_t &) noexcept { return tag(std::malloc(size + 64), 64); }
void *operator new[](std::size_t size, const std::nothrow_t &) noexcept { return tag(std::malloc(size + 64), 64); }
void *operator new(std::size_t size, std::align_val_t alignment) { return allocate_aligned(size, alignment); }
void *operator new[](std::size_t size, std::align_val_t alignment) { return allocate_aligned(size, alignment); }
void *operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t &) noexcept {
  return allocate_aligned(size, alignment);
}
void operator delete(void *pointer) noexcept { release(pointer); }
void operator delete[](void *pointer) noexcept { release(pointer); }
void operator delete(void *pointer, const std::nothrow_t &) noexcept { release(pointer); }
void operator delete(void *pointer, std::align_val_t) noexcept { release(pointer); }
void operator delete[](void *pointer, std::align_val_t) noexcept { release(pointer); }

#ifdef REPLACES_SIZED
void operator delete(void *pointer, std::size_t) noexcept { release(pointer); }
void operator delete[](void *pointer, std::size_t) noexcept { release(pointer); }
void operator delete(void *pointer, std::size_t, std::align_val_t) noexcept { release(pointer); }
void operator delete[](void *pointer, std::size_t, std::align_val_t) noexcept { release(pointer); }
#endif
