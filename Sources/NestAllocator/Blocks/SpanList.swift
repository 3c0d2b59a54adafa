// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// A list of spans, linked through their records: from the first span forward to no span, from the last one backward, and
// from the first one's `previous` to the last. The list itself is one word; an empty one leads to the span that stands for none.

struct SpanList {
  private let head: UnsafeMutablePointer<Span>

  @_noLocks
  init(_ head: UnsafeMutablePointer<Span>) { self.head = head }

  var first: Span { @_noLocks get { head.pointee } }

  var isEmpty: Bool { @_noLocks get { head.pointee.isNone } }

  @_noLocks
  func append(_ span: Span) {
    span.record.pointee.next = nil
    if isEmpty {
      span.record.pointee.previous = span
      head.pointee = span
      return
    }
    let last = first.record.pointee.previous
    span.record.pointee.previous = last
    last?.record.pointee.next = span
    first.record.pointee.previous = span
  }

  @_noLocks
  func prepend(_ span: Span) {
    append(span)
    // The list is a ring but for one link.
    let last = span.record.pointee.previous
    if first == span { return }
    last?.record.pointee.next = nil
    span.record.pointee.next = first
    head.pointee = span
  }

  @_noLocks
  func remove(_ span: Span) {
    let (next, previous) = (span.record.pointee.next, span.record.pointee.previous)
    if first == span {
      head.pointee = next ?? Span.none
      next?.record.pointee.previous = previous
    } else {
      previous?.record.pointee.next = next
      if let next { next.record.pointee.previous = previous } else { first.record.pointee.previous = previous }
    }
  }
}
