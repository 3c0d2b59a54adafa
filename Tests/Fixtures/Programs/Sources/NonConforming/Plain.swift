// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// The five functions, and no conformance.
enum Plain {
  static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? { nil }
  static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {}
  static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  { nil }
  static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int { 0 }
  static func usableSize(size: Int, align: Int) -> Int { size }
}

typealias LinkedAllocator = Plain
