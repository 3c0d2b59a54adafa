// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import Synchronization

// A chunk: 4 MiB of address space, aligned to as much, cut into 1,024 pages of 4 KiB.
//
//     0        16 KiB       64 KiB                                    4 MiB
//     ┌──────────┬────────────┬──────────┬──────────┬───────── … ───────┐
//     │ pages'   │ spans'     │ page 16  │ page 17  │                   │
//     │ entries  │ records    │          │          │                   │
//     └──────────┴────────────┴──────────┴──────────┴───────── … ───────┘
//      1024 × 16   1024 × 48    a span is a run of pages; its record is that of its first page
//
// Masking an address gives its chunk, shifting it the page, whose entry says all that the release of a block needs: four to a
// cache line. The chunk's own header lies in the records of pages 0 to 15, which are of no span; their entries stay zeros, so
// that an address there is none of a block. Only touched pages of all this take memory. A page here is 4 KiB; the system's may
// be larger.
//
// The first chunk of a process begins with 256 KiB and grows; what is behind its end belongs to others.
//
// The page heap's lock guards the header. Set bits of `free` are pages of no span; set bits of `dirty` are among them, and
// say that the page has been written since it came from the system.

@usableFromInline
package struct Chunk {
  struct Header: ~Copyable {
    /// Neighbours in the index of free runs, and in that of dirty ones.
    var freeLinks: FreeRunIndex.Links
    var dirtyLinks: FreeRunIndex.Links
    /// Pages.
    var freeCount: Int32
    var dirtyCount: Int32
    /// Pages that are mapped, from the start on. Written under the lock, read by all.
    let mapped: Atomic<Int32>
    /// Whether the pages behind could not be mapped.
    var isAtItsEnd: Bool
    /// Whether its pages are for blocks of classes alone, and the next chunk of which that is so.
    var isOfClasses: Bool
    var nextOfClasses: Chunk?
    /// Pages, from the start on, that the kernel may not make huge ones of.
    let smallPages: Atomic<Int32>
    /// How often in a row the helper has found the chunk full since.
    let fullLooks: Atomic<Int32>
    /// Huge blocks that begin behind the end of the chunk, in the rest of its 4 MiB. Under the lock of the huge blocks.
    var hugeBlocks: HugeBlock?
  }

  /// What is known of a page. Written where a span is made and unmade, read by all who have a block of it.
  @usableFromInline
  struct Entry {
    // Of an offset in a span, the lower half of its product with the reciprocal tells whether a block begins there: of the k-th
    // block's it is k times what the reciprocal was rounded up by, less than 2¹⁶ in every class; of any other offset it is at
    // least the reciprocal, and that at least 2¹⁶. The sum with `bias` is that product, less 2¹⁶: so the test is one of whether
    // it wraps around, and zeros fail it.

    /// 2³² / the size of the span's blocks, rounded up; 0 where the page is not one of blocks.
    @usableFromInline let reciprocal: UInt32
    /// The reciprocal times the lower half of the address at which the span begins, plus 2¹⁶, negated.
    @usableFromInline let bias: UInt32
    /// Bytes from the start of a cache to its bin for the span's blocks.
    let bin: UInt16
    /// The span's first page.
    @usableFromInline let firstPage: UInt16
    private let unused: UInt32 = 0

    /// The entry of a page of a span that begins at `start`, of blocks of `sizeClass`.
    @_noLocks
    init(start: UnsafeMutableRawPointer, sizeClass: Int) {
      let (address, size) = (UInt(bitPattern: start), SizeClass.blockSize(sizeClass))
      reciprocal = UInt32(truncatingIfNeeded: ((1 << 32) + size - 1) / size)
      bias = 0 &- (reciprocal &* UInt32(truncatingIfNeeded: address) &+ (1 << 16))
      bin = UInt16(truncatingIfNeeded: sizeClass * CacheBin.stride)
      firstPage = UInt16(truncatingIfNeeded: Chunk.page(of: address))
    }

    private init() {
      reciprocal = 0
      bias = 0
      bin = 0
      firstPage = 0
    }

    /// The entry of a page that is not one of blocks.
    static var none: Entry { @_noLocks get { Entry() } }

    /// The class of the span's blocks.
    var sizeClass: Int { @_noLocks get { Int(bin) / CacheBin.stride } }

    /// Whether a block of a class begins at `address`, which is in the page.
    @inlinable @inline(__always) @_noLocks
    func hasBlock(at address: UInt) -> Bool {
      UInt32(truncatingIfNeeded: address) &* reciprocal &+ bias >= 0xffff_0000
    }
  }

  @inlinable @inline(__always) static var shift: Int { @_noLocks get { Int(NEST_CHUNK_SHIFT) } }
  @inlinable @inline(__always) package static var size: Int { @_noLocks get { 1 << shift } }
  @inlinable @inline(__always) static var pageShift: Int { @_noLocks get { 12 } }
  @inlinable @inline(__always) static var pageSize: Int { @_noLocks get { 1 << pageShift } }
  @inlinable @inline(__always) package static var pageCount: Int { @_noLocks get { size >> pageShift } }
  package static var firstPage: Int { @_noLocks get { 16 } }
  static var recordSize: Int { @_noLocks get { 48 } }
  static var recordsOffset: Int { @_noLocks get { pageCount * 16 } }
  static var bitmapsOffset: Int { @_noLocks get { recordsOffset + 128 } }

  @usableFromInline package let base: UnsafeMutableRawPointer

  @inlinable @inline(__always) @_noLocks
  package init(base: UnsafeMutableRawPointer) { self.base = base }

  /// The chunk in which `address` is known to lie, or behind the end of which; where there is none, the address map tells. The
  /// first address of a chunk, and a null pointer, is none of a block, and taken for one of the chunk before.
  @inlinable @inline(__always) @_noLocks
  init?(cachedAt address: UInt) {
    let base = (address &- 1) & ~UInt(bitPattern: Chunk.size &- 1)
    if nest_is_cached_chunk(base) == 0 { return nil }
    self.base = UnsafeMutableRawPointer(bitPattern: base).unsafelyUnwrapped
  }

  /// The chunk in which `address` lies, if it lies in one.
  @inlinable @inline(__always) @_noLocks
  init(containing address: UInt) {
    // Safety: an address that the caller has found to be in a chunk is not in the first 4 MiB.
    base = UnsafeMutableRawPointer(bitPattern: address & ~UInt(bitPattern: Chunk.size &- 1)).unsafelyUnwrapped
  }

  @inlinable @inline(__always) @_noLocks
  static func page(of address: UInt) -> Int {
    Int(bitPattern: address &>> UInt(pageShift)) & (pageCount &- 1)
  }

  @inlinable @inline(__always) @_noLocks
  func entry(page: Int) -> UnsafeMutablePointer<Entry> { base.assumingMemoryBound(to: Entry.self) + page }

  @_noLocks
  func span(page: Int) -> Span {
    Span((base + Chunk.recordsOffset + page * Chunk.recordSize).assumingMemoryBound(to: Span.Record.self))
  }

  var header: UnsafeMutablePointer<Header> {
    @_noLocks get { (base + Chunk.recordsOffset).assumingMemoryBound(to: Header.self) }
  }

  @_noLocks
  func address(page: Int) -> UnsafeMutableRawPointer { base + page * Chunk.pageSize }

  /// Where the next chunk may begin.
  var end: UInt { @_noLocks get { UInt(bitPattern: base) + UInt(Chunk.size) } }

  /// Whether `address`, which is in the 4 MiB, is in what is mapped of them.
  @_noLocks
  func contains(_ address: UInt) -> Bool { Chunk.page(of: address) < mappedCount }

  /// Pages that are mapped, from the start on.
  var mappedCount: Int { @_noLocks get { Int(header.pointee.mapped.load(ordering: .relaxed)) } }

  @_noLocks
  func setMappedCount(_ count: Int) {
    header.pointee.mapped.store(Int32(truncatingIfNeeded: count), ordering: .relaxed)
  }

  // MARK: Huge pages

  /// Keeps the kernel from making a huge page of what is left around pages that are given back: they would be back. For who
  /// gives back pages of the chunk. Costs a load; where the system has huge pages for everyone, a system call for each chunk.
  @_noLocks
  func keepPagesSmall() {
    if nest_has_huge_pages() == 0 { return }
    header.pointee.fullLooks.store(0, ordering: .relaxed)
    let count = mappedCount
    if header.pointee.smallPages.exchange(Int32(truncatingIfNeeded: count), ordering: .relaxed) == count { return }
    nest_allow_huge_pages(base, count << Chunk.pageShift, 0)
  }

  /// Looks, for the helper, whether the chunk is full again, but for `unused` pages, and has huge pages made of it if it stays
  /// so: this often, at the helper's pace some ten seconds.
  @_noLocks
  func reconsiderPageSize(unused: Int) {
    let small = Int(header.pointee.smallPages.load(ordering: .relaxed))
    if small == 0 { return }
    if unused > Chunk.pageCount / 16 { return header.pointee.fullLooks.store(0, ordering: .relaxed) }
    if header.pointee.fullLooks.add(1, ordering: .relaxed).newValue < Chunk.fullLooksForHugePages { return }
    header.pointee.fullLooks.store(0, ordering: .relaxed)
    header.pointee.smallPages.store(0, ordering: .relaxed)
    nest_allow_huge_pages(base, small << Chunk.pageShift, 1)
  }

  package static var fullLooksForHugePages: Int32 { @_noLocks get { 40 } }

  package var free: PageBitmap {
    @_noLocks get { PageBitmap((base + Chunk.bitmapsOffset).assumingMemoryBound(to: UInt64.self)) }
  }
  package var dirty: PageBitmap {
    @_noLocks get {
      PageBitmap((base + Chunk.bitmapsOffset + Chunk.pageCount / 8).assumingMemoryBound(to: UInt64.self))
    }
  }

  /// Pages of spans that are reserved for a class, and dirty. See ``ReservedSpans``.
  var reserved: PageBitmap {
    @_noLocks get {
      PageBitmap((base + Chunk.bitmapsOffset + Chunk.pageCount / 4).assumingMemoryBound(to: UInt64.self))
    }
  }

  var isOfClasses: Bool { @_noLocks get { header.pointee.isOfClasses } }

  /// Whether every page that spans can have is free.
  package var isEmpty: Bool {
    @_noLocks get { Int(header.pointee.freeCount) == mappedCount - Chunk.firstPage }
  }

  /// Makes a header, of zeroed memory: all pages of the `mappedCount` mapped ones are free and clean.
  @_noLocks
  package func initialize(mappedCount: Int) {
    let count = mappedCount - Chunk.firstPage
    setMappedCount(mappedCount)
    free.set(from: Chunk.firstPage, count: count)
    header.pointee.freeCount = Int32(truncatingIfNeeded: count)
    header.pointee.isAtItsEnd = mappedCount == Chunk.pageCount
  }

  /// Marks a run as in use. Returns how many of its pages were dirty.
  @_noLocks
  package func setUsed(_ first: Int, _ count: Int) -> Int {
    let dirtyCount = dirty.count(from: first, count: count)
    free.clear(from: first, count: count)
    dirty.clear(from: first, count: count)
    header.pointee.freeCount -= Int32(truncatingIfNeeded: count)
    header.pointee.dirtyCount -= Int32(truncatingIfNeeded: dirtyCount)
    return dirtyCount
  }

  @_noLocks
  package func setFree(_ first: Int, _ count: Int, dirty isDirty: Bool) {
    if isDirty {
      dirty.set(from: first, count: count)
      header.pointee.dirtyCount += Int32(truncatingIfNeeded: count)
    }
    free.set(from: first, count: count)
    header.pointee.freeCount += Int32(truncatingIfNeeded: count)
  }

  /// Counts anew what the bits say, after a change that was not ended: a page is dirty only if it is free.
  @_noLocks
  func recount() {
    dirty.formIntersection(free)
    header.pointee.freeCount = Int32(truncatingIfNeeded: free.count(from: 0, count: Chunk.pageCount))
    header.pointee.dirtyCount = Int32(truncatingIfNeeded: dirty.count(from: 0, count: Chunk.pageCount))
  }
}

extension UnsafeMutablePointer<Chunk.Entry> {
  /// Bytes from the start of a cache to its bin for the blocks of the page's span. Read at once, before it is known whether there
  /// is a span: its address is at hand then.
  @inlinable @inline(__always)
  var binOffset: Int {
    @_noLocks get { Int(nest_load_now((UnsafeRawPointer(self) + 8).assumingMemoryBound(to: UInt16.self))) }
  }
}
