// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

// Sampled blocks: a few of a program's blocks, in either flavour, of which each use that is wrong is found, and who has allocated and released
// them is known (as GWP-ASan does it).
//
//     ┌───────┬───────────┬───────┬───────────┬───────┬─ … ─┬───────┐
//     │ guard │   █ block │ guard │ block █   │ guard │     │ guard │     64 pages for blocks, 65 between them: a run of pages of a chunk
//     └───────┴───────────┴───────┴───────────┴───────┴─ … ─┴───────┘
//
// A block begins where its page begins, or ends where it ends, as chance has it. A page without a live block cannot be touched either; the one
// that was released first is used first. No fast path knows of all this: a block is sampled where malloc goes the slow way, since the thread
// has no block at hand; there, one chance in so many is taken. In a loop that always has one at hand nobody would ever go that way: so
// the helper now and then takes a size out of a thread's table, which leads malloc to the bin that is always empty.
//
// A sampled block is not of a page of blocks, so that `free` goes the slow way as well. Where the fast flavour believes the size that a
// release says, it is put in the thread's bin, as any other of its class, and used again as it lies, until it leaves the bin.

struct SampledBlocks {
  /// Bytes of the largest block that is sampled: a page.
  private static var largest: Int { @_noLocks get { Chunk.pageSize } }

  // MARK: Allocating

  /// A block of at least `size` bytes, of zeros, if this is a time to sample and there is a page for it. `blockSize` is that of its class, which
  /// it has to hold wherever sizes are believed.
  @inline(never) @_noLocks
  static func allocate(size: Int, blockSize: Int, align: Int, isExact: Bool) -> UnsafeMutableRawPointer? {
    guard blockSize <= largest, align <= largest, Int(nest_page_size()) == Chunk.pageSize else { return nil }
    let isArmed = disarm(SizeClass.index(size: blockSize))
    guard isArmed || nest_is_sample_due() != 0, let pages = pages(), let index = takeSlot() else { return nil }
    let slot = nest_sample_slot(index)
    let page = UnsafeMutableRawPointer(pages) + (2 * index + 1) * Chunk.pageSize
    guard nest_unprotect(page, Chunk.pageSize) != 0 else {
      _ = nest_change_slot(slot, UInt32(NEST_SLOT_BUSY), UInt32(NEST_SLOT_EMPTY))
      return nil
    }
    let bytes = isExact ? (max(size, 1) + max(align, 16) - 1) & -max(align, 16) : blockSize
    let block = nest_random_below(2) == 0 ? page : page + (Chunk.pageSize - bytes)
    slot.pointee.block = UInt(bitPattern: block)
    slot.pointee.size = UInt32(truncatingIfNeeded: isExact ? size : blockSize)
    Span(containing: UInt(bitPattern: page)).record.pointee.sizeClass = UInt8(
      truncatingIfNeeded: SizeClass.index(size: blockSize))
    nest_fill_around(slot)
    nest_note_stack(slot, 0)
    LargeBlocks.shared.note(blocks: 1, pages: 1)
    _ = nest_change_slot(slot, UInt32(NEST_SLOT_BUSY), UInt32(NEST_SLOT_LIVE))
    return block
  }

  /// The pages, which are made when they are wanted first. Nil when memory is exhausted.
  private static func pages() -> UnsafeMutablePointer<CChar>? {
    if let pages = nest_sampled_pages() { return pages }
    let count = 2 * Int(NEST_SAMPLE_SLOTS) + 1
    guard let (run, isZeroed) = Pages.allocate(count: count, align: 1, mayMap: true) else { return nil }
    if !isZeroed { nest_zero(run.start, run.byteCount) }
    var page = 0
    while page < count {
      run.chunk.span(page: run.first + page).initialize(state: .sampled, pageCount: 1)
      page += 1
    }
    _ = nest_purge(run.start, run.byteCount)
    if nest_protect(run.start, run.byteCount) == 0 || nest_set_sample_pages(run.start) == 0 {
      // Another thread was first, or the system refuses.
      page = 0
      while page < count {
        run.chunk.span(page: run.first + page).clear()
        page += 1
      }
      if nest_unprotect(run.start, run.byteCount) != 0 {
        PageHeap.shared.release(run)
      } else {
        UntouchablePages.shared.keep(run)
      }
    }
    return nest_sampled_pages()
  }

  /// Takes the page that has been without a block for longest. Nil where each has one.
  private static func takeSlot() -> Int? {
    var tries = 0
    while tries < 4 {
      var (best, oldest, index) = (-1, UInt64.max, 0)
      while index < Int(NEST_SAMPLE_SLOTS) {
        let slot = nest_sample_slot(index)
        let state = nest_slot_state(slot)
        if state == UInt32(NEST_SLOT_EMPTY) || state == UInt32(NEST_SLOT_RELEASED), slot.pointee.released_as < oldest {
          (best, oldest) = (index, slot.pointee.released_as)
        }
        index += 1
      }
      if best < 0 { return nil }
      let slot = nest_sample_slot(best)
      if nest_change_slot(slot, UInt32(NEST_SLOT_RELEASED), UInt32(NEST_SLOT_BUSY)) != 0
        || nest_change_slot(slot, UInt32(NEST_SLOT_EMPTY), UInt32(NEST_SLOT_BUSY)) != 0
      {
        return best
      }
      tries += 1
    }
    return nil
  }

  // MARK: What is known of an address

  /// The place of a sampled block, live or released, at or around an address in a page that is one's. Nil of any other address.
  private static func slot(of address: UInt) -> UnsafeMutablePointer<nest_sample_slot>? {
    guard let pages = nest_sampled_pages() else { return nil }
    let offset = Int(bitPattern: address &- UInt(bitPattern: pages)) >> Chunk.pageShift
    guard offset >= 0, offset < 2 * Int(NEST_SAMPLE_SLOTS) + 1, offset & 1 == 1 else { return nil }
    return nest_sample_slot(offset >> 1)
  }

  /// The live sampled block in the page at an address, if that is a page for one; it may be released in this moment.
  @_noLocks
  static func peek(page address: UInt) -> (address: UInt, size: Int)? {
    guard let slot = slot(of: address), nest_slot_state(slot) == UInt32(NEST_SLOT_LIVE) else { return nil }
    return (slot.pointee.block, Int(slot.pointee.size))
  }

  /// Bytes of a live sampled block. Dies of an address in the pages that is none.
  @_noLocks
  static func size(of address: UInt, orDie misuse: Misuse) -> Int {
    guard let slot = slot(of: address) else { misuse.die(address) }
    if slot.pointee.block != address || nest_slot_state(slot) != UInt32(NEST_SLOT_LIVE) { die(misuse, slot, address) }
    return Int(slot.pointee.size)
  }

  @_noLocks
  private static func die(_ misuse: Misuse, _ slot: UnsafeMutablePointer<nest_sample_slot>, _ address: UInt) -> Never {
    if nest_slot_state(slot) == UInt32(NEST_SLOT_EMPTY) { misuse.die(address) }
    nest_die_of_sample(misuse.text, slot, address)
  }

  private static var overwritten: StaticString { "the bytes around a block have been overwritten (overflow)" }

  // MARK: Releasing

  /// Releases a sampled block, or dies where there is no live one at the address.
  @inline(never) @_noLocks
  static func release(_ address: UInt) {
    guard let slot = slot(of: address) else { Misuse.freeOfForeign.die(address) }
    if slot.pointee.block != address { die(.freeOfInterior, slot, address) }
    if nest_change_slot(slot, UInt32(NEST_SLOT_LIVE), UInt32(NEST_SLOT_BUSY)) == 0 { die(.freeTwice, slot, address) }
    let changed = nest_changed_around(slot)
    if changed != 0 { nest_die_of_sample(overwritten.utf8Text, slot, changed) }
    nest_note_stack(slot, 1)
    let page = UnsafeMutableRawPointer(bitPattern: address & ~UInt(Chunk.pageSize - 1)).unsafelyUnwrapped
    // Nothing is left in it, and it is zeros when it is used again.
    if nest_purge(page, Chunk.pageSize) == 0 { nest_zero(page, Chunk.pageSize) }
    _ = nest_protect(page, Chunk.pageSize)
    slot.pointee.released_as = nest_count_sample_release()
    LargeBlocks.shared.note(blocks: -1, pages: -1)
    _ = nest_change_slot(slot, UInt32(NEST_SLOT_BUSY), UInt32(NEST_SLOT_RELEASED))
  }

  /// Releases those of a list that are neighbours. That they are links nothing any more.
  @_noLocks
  static func release(_ blocks: SpanBlocks) {
    var (block, left) = (blocks.first, blocks.count)
    while left > 0 {
      let next = block.next
      release(block.address)
      block = next
      left -= 1
    }
  }

  // MARK: Sizes that are taken out of a thread's table

  /// Puts the sizes of a class back into the calling thread's table. Returns whether they had been taken out.
  private static func disarm(_ index: Int) -> Bool {
    let cache = ThreadCache.current
    if cache.isNone { return false }
    var (sixteenths, isArmed) = (SizeClass.blockSize(index - 1) / 16 + 1, false)
    while sixteenths <= SizeClass.blockSize(index) / 16 {
      if nest_table_entry(cache.binOffsets + sixteenths) == 0 {
        isArmed = true
        nest_set_table_entry(cache.binOffsets + sixteenths, UInt16(truncatingIfNeeded: index * CacheBin.stride))
      }
      sixteenths += 1
    }
    return isArmed
  }

  /// Takes the sizes of a class that a thread has blocks of out of its table: so its next block of that class is a sampled one. For the helper.
  @_noLocks
  static func arm() {
    let caches = ThreadCaches.shared
    caches.lock.lock()
    // Each thread, and each class, is as likely as any other.
    var (chosen, count, candidate): (ThreadCache?, UInt64, ThreadCache?) = (nil, 0, caches.first)
    while let cache = candidate {
      count += 1
      if nest_random_below(count) == 0 { chosen = cache }
      candidate = cache.state.pointee.next
    }
    if let chosen { arm(chosen) }
    caches.lock.unlock()
  }

  private static func arm(_ cache: ThreadCache) {
    var (chosen, count, index) = (0, UInt64(0), 1)
    while SizeClass.blockSize(index) <= largest {
      if !cache.bin(index).first.isNone {
        count += 1
        if nest_random_below(count) == 0 { chosen = index }
      }
      index += 1
    }
    if chosen == 0 { return }
    var sixteenths = SizeClass.blockSize(chosen - 1) / 16 + 1
    while sixteenths <= SizeClass.blockSize(chosen) / 16 {
      nest_set_table_entry(cache.binOffsets + sixteenths, 0)
      sixteenths += 1
    }
  }
}
