// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import AllocatorAdapters
import CCases
import CxxCases
import Foundation
import SystemAllocator
import TestAllocators

// Runs the cases that are named, in C or here. What a case finds wrong is printed, and the exit status 1.

/// How many blocks `body` takes from the process's malloc.
func allocations(of body: () throws -> Void) rethrows -> Int {
  let before = AllocatorCounts.current
  try body()
  let after = AllocatorCounts.current
  return after.allocations - before.allocations + after.reallocations - before.reallocations
}

func check(_ condition: Bool, _ message: @autoclosure () -> String) {
  if condition { return }
  print(message())
  exit(1)
}

/// Uses a block, so that the optimizer does not leave it out.
@inline(never)
func release(_ pointer: UnsafeMutableRawPointer?) {
  check(pointer != nil, "a block")
  free(pointer)
}

struct Record: Codable {
  var name: String
  var values: [Double]
}

final class Box {
  var value: Int
  init(_ value: Int) { self.value = value }
}

@inline(never)
func box(_ value: Int) -> Box { Box(value) }

/// What allocates, and from how many blocks on that is proven.
func counted() throws {
  let text = NSTemporaryDirectory() + "lines-\(getpid())"
  try String(repeating: String(repeating: "x", count: 999) + "\n", count: 20).write(
    toFile: text, atomically: false, encoding: .utf8)
  defer { unlink(text) }
  let json = try JSONEncoder().encode((0..<50).map { Record(name: "record \($0)", values: [1, 2, 3]) })

  let measured: [(String, atLeast: Int, () throws -> Void)] = [
    ("strdup", 1, { release(strdup("a string that strdup copies")) }),
    (
      "getline", 1,
      {
        let file = fopen(text, "r")
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        check(getline(&line, &capacity, file) == 1000, "getline")
        free(line)
        fclose(file)
      }
    ),
    ("realpath", 1, { release(realpath("/usr/..", nil)) }),
    ("std::string", 1, { check(cxx_string() == 10000, "std::string") }),
    ("operator new", 100, { check(cxx_operators() > 0, "operator new") }),
    ("Swift object", 1, { check(box(Int(getpid())).value == getpid(), "object") }),
    ("Swift array", 1, { check([Int](repeating: 1, count: 1000).count == 1000, "array") }),
    ("Swift string", 1, { check(String(repeating: "é", count: 1000).utf8.count == 2000, "string") }),
    ("Data", 1, { check(Data(count: 100_000).count == 100_000, "data") }),
    ("JSONDecoder", 150, { check(try JSONDecoder().decode([Record].self, from: json).count == 50, "JSON") }),
    ("FileManager", 10, { check(try !FileManager.default.contentsOfDirectory(atPath: "/").isEmpty, "files") }),
    ("dlerror", 1, { check(dlopen("/no/such/library.so", RTLD_NOW) == nil && dlerror() != nil, "dlerror") }),
    ("thread", 1, { Thread.detachNewThread {} }),
  ]
  for (name, atLeast, body) in measured {
    let count = try allocations(of: body)
    check(count >= atLeast, "\(name) takes \(count) blocks from malloc, not \(atLeast) or more")
  }
  check(AllocatorCounts.current.failures == 0, "\(AllocatorCounts.current)")
}

func cxx() {
  let before = SizeCheckingAllocator.sizedReleases
  let sized = cxx_operators()
  let released = SizeCheckingAllocator.sizedReleases - before
  // An allocator with a header has no use for the size, and does not ask for it.
  check(GlobalAllocator.name == "counting", GlobalAllocator.name)
  if CommandLine.arguments[0].hasSuffix("Native") {
    check(released >= sized, "\(released) releases with a size, of \(sized)")
  }
  check(cxx_exhaustion() == 1, "std::bad_alloc, new_handler, nothrow")
  let destructors = cxx_thread_locals()
  check(destructors == 400, "\(destructors) thread-local destructors")
}

/// Resizing arrays by malloc_usable_size: Swift asks the allocator how large the block is, and uses all of it.
func arrays() {
  var arrays: [[Int]] = []
  for count in 0..<2000 {
    var array = [Int]()
    array.reserveCapacity(count)
    for value in 0..<array.capacity { array.append(value &* count) }
    arrays.append(array)
  }
  for (count, array) in arrays.enumerated() {
    check(array.enumerated().allSatisfy { $0.element == $0.offset &* count }, "array of \(count)")
  }
}

/// In this process malloc is not glibc's; the system allocator is, and reads sizes as glibc does.
func chunks() {
  let library = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD)
  typealias Function = @convention(c) (UnsafeMutableRawPointer?) -> Int
  let usableSize = unsafeBitCast(dlsym(library, "malloc_usable_size")!, to: Function.self)
  for size in Array(0..<600) + [4096, 132_000, 1 << 20, 40 << 20] {
    let block = SystemAllocator.allocate(size: size, align: 16)!
    check(SystemAllocator.usableSize(of: block) == usableSize(block), "\(size) bytes")
    SystemAllocator.deallocate(block)
  }
}

for name in CommandLine.arguments.dropFirst() {
  switch name {
  case "name": print(GlobalAllocator.name)
  case "counted": try counted()
  case "cxx": cxx()
  case "arrays": arrays()
  case "chunks": chunks()
  case "double-free":
    let block = malloc(100)!
    free(block)
    free(block)
  case "foreign-free":
    let block = malloc(100)!
    free(block + 32)
  default: run_case(name)
  }
}
