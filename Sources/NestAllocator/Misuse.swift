// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

// What is said when a program breaks the rules of malloc, before it is aborted.

@usableFromInline
enum Misuse {
  case freeOfForeign, freeOfInterior, freeTwice, writtenAfterFree, resizeOfFree, resizeOfForeign, sizeOfForeign

  private var message: StaticString {
    switch self {
    case .freeOfForeign: "free of a pointer that is no block of this allocator"
    case .freeOfInterior: "free of a pointer into the middle of a block"
    case .freeTwice: "free of a block that is free already (double free)"
    case .writtenAfterFree: "a free block has been written to (use after free, or an overflow of the block before)"
    case .resizeOfFree: "realloc of a block that is free (use after free)"
    case .resizeOfForeign: "realloc of a pointer that is no block of this allocator, or of one that is free"
    case .sizeOfForeign: "malloc_usable_size of a pointer that is no block of this allocator"
    }
  }

  var text: UnsafePointer<CChar> { @_noLocks get { message.utf8Text } }

  /// Writes what happened and to which address, and aborts.
  @usableFromInline @inline(never) @_noLocks
  func die(_ address: UInt) -> Never {
    nest_die(text, address)
  }
}

extension StaticString {
  /// The text, for C.
  var utf8Text: UnsafePointer<CChar> {
    @_noLocks get { UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self) }
  }
}

extension Span {
  /// Whether the page of this record, which has no span, is within a large block.
  var isInLargeBlock: Bool {
    @_noLocks get {
      var page = firstPage
      while page >= Chunk.firstPage {
        let span = chunk.span(page: page)
        if span.isLarge { return page + Int(span.record.pointee.pageCount) > firstPage }
        page -= 1
      }
      return false
    }
  }
}
