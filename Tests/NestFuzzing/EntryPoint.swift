// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// What libFuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  runOnNest(UnsafeBufferPointer(start: data, count: count))
  return 0
}

/// Runs the operations that `input` stands for on NestAllocator, and ends the process where it does not keep its contract.
public func runOnNest(_ input: UnsafeBufferPointer<UInt8>) { NestModel.run(input) }
