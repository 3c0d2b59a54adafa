// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorInsight
import Foundation
import TestEffort
import XCTest

@testable import AllocatorInsight

/// The type of an object by its address, and the refusal where there is none.
final class SwiftTypesTests: XCTestCase {
  override func tearDown() { insight_refuse_reading(0) }

  private func name(of object: AnyObject) -> String? {
    withExtendedLifetime(object) {
      SwiftTypes.name(ofObjectAt: UnsafeRawPointer(Unmanaged.passUnretained(object).toOpaque()))
    }
  }

  /// The object that holds an array's elements, a dictionary's or a set's: the only word of the value.
  private func storage<Value>(of value: Value) -> AnyObject {
    precondition(MemoryLayout<Value>.size == 8)
    return unsafeBitCast(value, to: AnyObject.self)
  }

  func testObjects() {
    let module = "AllocatorInsightTests"
    XCTAssertEqual(name(of: TypedObject()), "\(module).TypedObject")
    XCTAssertEqual(name(of: PrivateObject()), "\(module).PrivateObject")
    XCTAssertEqual(
      name(of: TypedObject.Nested<String>.Deep<[Int?]>()),
      "\(module).TypedObject.Nested<Swift.String>.Deep<Swift.Array<Swift.Optional<Swift.Int>>>")
    XCTAssertEqual(name(of: TypedActor()), "\(module).TypedActor")
    XCTAssertEqual(
      name(of: DerivedObject<(Int, label: String)>()), "\(module).DerivedObject<(Swift.Int, label: Swift.String)>")
    XCTAssertEqual(
      name(of: DerivedObject<any Sequence & CustomStringConvertible>()),
      "\(module).DerivedObject<Swift.CustomStringConvertible & Swift.Sequence>")
    XCTAssertEqual(name(of: DerivedObject<TypedObject.Type>()), "\(module).DerivedObject<\(module).TypedObject.Type>")
    XCTAssertEqual(name(of: DerivedObject<(Int) -> String>()), "\(module).DerivedObject<(Swift.Int) -> Swift.String>")
    // What is not looked at is not told.
    XCTAssertEqual(name(of: DerivedObject<@MainActor (Int) -> String>()), "\(module).DerivedObject<…>")
    XCTAssertEqual(name(of: PackObject<Int, String>()), "\(module).PackObject<…>")
    // Of a class of another module that may change its layout.
    XCTAssertEqual(name(of: DerivedFromFoundation<Int>()), "\(module).DerivedFromFoundation<Swift.Int>")
    XCTAssertEqual(name(of: Thread.current), "Foundation.Thread")

    struct Local {}
    XCTAssertEqual(name(of: DerivedObject<Local>()), "\(module).DerivedObject<\(module).SwiftTypesTests.Local>")
  }

  func testStorage() {
    XCTAssertEqual(name(of: storage(of: [1, 2, 3])), "Swift._ContiguousArrayStorage<Swift.Int>")
    XCTAssertEqual(name(of: storage(of: [1: "a"])), "Swift._DictionaryStorage<Swift.Int, Swift.String>")
    XCTAssertEqual(name(of: storage(of: Set([1.5]))), "Swift._SetStorage<Swift.Double>")
    let text = String(repeating: "text ", count: 10 + Int.random(in: 0...1))
    // The upper word of a large string is its object, but for flags in the highest byte; the object begins 32 bytes before the text.
    let words = unsafeBitCast(text, to: (UInt, UInt).self)
    let pointer = UnsafeRawPointer(bitPattern: words.1 & 0x00ff_ffff_ffff_ffff)!
    XCTAssertEqual(SwiftTypes.name(ofObjectAt: pointer), "Swift.__StringStorage")
    withExtendedLifetime(text) {}
    XCTAssertEqual(
      name(of: unsafeBitCast(TypedError(code: 1) as any Error, to: AnyObject.self)),
      "error AllocatorInsightTests.TypedError")
  }

  func testTasks() async {
    let task = Task { try? await Task.sleep(for: .seconds(60)) }
    XCTAssertEqual(name(of: unsafeBitCast(task, to: AnyObject.self)), "task")
    task.cancel()
    await task.value
  }

  /// What is counted otherwise: many references, weak and unowned ones, and an object of the program's that nobody counts.
  func testReferenceCounts() {
    let object = TypedObject()
    let many = [TypedObject](repeating: object, count: 1_000)
    weak let weakly: TypedObject? = object
    XCTAssertEqual(name(of: object), "AllocatorInsightTests.TypedObject")
    unowned let unowning = object
    XCTAssertEqual(name(of: unowning), "AllocatorInsightTests.TypedObject")
    withExtendedLifetime((many, weakly)) {}
    XCTAssertEqual(name(of: storage(of: [Int]())), "Swift.__EmptyArrayStorage")
  }

  /// Pointers to anything else.
  func testWhatIsNoObject() {
    func check(_ address: UInt, line: UInt = #line) {
      guard let pointer = UnsafeRawPointer(bitPattern: address) else { return }
      XCTAssertNil(SwiftTypes.name(ofObjectAt: pointer), line: line)
    }
    for address: UInt in [1, 8, 4096, 1 << 20, 1 << 47, 1 << 55, .max - 7, .max & ~15] { check(address) }
    let block = UnsafeMutableRawPointer.allocate(byteCount: 256, alignment: 16)
    defer { block.deallocate() }
    let words = block.assumingMemoryBound(to: UInt.self)
    let metadata = unsafeBitCast(TypedObject.self as AnyClass, to: UInt.self)
    func check(_ first: UInt, _ second: UInt, line: UInt = #line) {
      (words[0], words[1]) = (first, second)
      check(UInt(bitPattern: block), line: line)
    }
    check(0, 0)
    check(metadata, 0)
    check(metadata, 2)
    check(metadata + 8, 3)
    check(metadata | 1, 3)
    check(UInt(bitPattern: block), 3)
    // Metadata of what is no class; a descriptor; code; text.
    check(unsafeBitCast(Int.self as Any.Type, to: UInt.self), 3)
    check(OwnMemory.word(metadata + 40)!, 3)
    check(UInt(bitPattern: dlsym(nil, "malloc")), 3)
    check(0x6f77_206f_6c6c_6548, 0x2121_2121_646c_7271)
    // The page at the end of what is mapped.
    let page = mmap(nil, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
    munmap(page + 4096, 4096)
    defer { munmap(page, 4096) }
    for offset in [4096 - 8, 4096 - 16, 4096 - 24] {
      (page + offset).storeBytes(of: metadata, as: UInt.self)
      if offset + 16 <= 4096 { (page + offset + 8).storeBytes(of: 2, as: UInt.self) }
      check(UInt(bitPattern: page + offset))
    }
    // A small object there is one, though nothing is behind it.
    (page + 4080).storeBytes(of: metadata, as: UInt.self)
    (page + 4088).storeBytes(of: 3, as: UInt.self)
    XCTAssertEqual(SwiftTypes.name(ofObjectAt: page + 4080), "AllocatorInsightTests.TypedObject")
  }

  /// Copies of real metadata in which single words are something else: none makes the runtime read what is not there.
  func testMetadataThatIsBroken() {
    var random = SystemRandomNumberGenerator()
    let classes: [AnyClass] = [
      TypedObject.self, TypedObject.Nested<String>.Deep<[Int?]>.self, DerivedObject<(Int, label: String)>.self,
      DerivedObject<any Sequence & CustomStringConvertible>.self, DerivedObject<(Int) -> String>.self,
      DerivedFromFoundation<Int>.self,
      PackObject<Int, String>.self,
    ]
    let object = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 16)
    defer { object.deallocate() }
    let rounds = TestEffort.count(1_000, quick: 200)
    // Each at an address of its own, and never released: the runtime remembers the names of types by the addresses of their metadata.
    var copy = UnsafeMutableRawPointer.allocate(byteCount: 1024 * rounds * classes.count, alignment: 16) - 1024
    for type in classes {
      let address = unsafeBitCast(type, to: UInt.self)
      let size = Int(OwnMemory.load(address + 32, as: UInt32.self)!)
      for round in 0..<rounds {
        copy += 1024
        XCTAssertNotEqual(insight_read_memory(address - 16, copy, min(size, 1024)), 0)
        let words = copy.assumingMemoryBound(to: UInt.self)
        for _ in 0..<(round % 3 + 1) {
          let index = Int.random(in: 2..<(min(size, 1024) / 8), using: &random)
          words[index] =
            switch Int.random(in: 0..<6, using: &random) {
            case 0: UInt.random(in: 0..<1024, using: &random)
            case 1: UInt.random(in: 0...(.max), using: &random)
            case 2: words[index] ^ 1 << UInt.random(in: 0..<64, using: &random)
            case 3: address
            case 4: UInt(bitPattern: copy) + 8 * UInt.random(in: 0..<128, using: &random)
            default: words[Int.random(in: 0..<(min(size, 1024) / 8), using: &random)]
            }
        }
        object.assumingMemoryBound(to: UInt.self)[0] = UInt(bitPattern: copy) + 16
        object.assumingMemoryBound(to: UInt.self)[1] = 3
        // Whatever the answer: there is one. Without what has been found out before.
        var types = SwiftTypes()
        _ = types.name(ofObjectAt: UInt(bitPattern: object))
      }
    }
  }

  /// Objects that are released, and memory that is unmapped, while it is read.
  func testMemoryThatGoesAway() {
    let isDone = Flag()
    let thread = Thread {
      while !isDone.isSet {
        let page = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
        isDone.address = UInt(bitPattern: page)
        munmap(page, 4096)
        isDone.address = UInt(bitPattern: Unmanaged.passUnretained(TypedObject()).toOpaque())
      }
      isDone.hasEnded = true
    }
    thread.start()
    while isDone.address == 0 { usleep(1_000) }
    for _ in 0..<20_000 {
      if let pointer = UnsafeRawPointer(bitPattern: isDone.address) {
        let name = SwiftTypes.name(ofObjectAt: pointer)
        XCTAssertTrue(name == nil || name == "AllocatorInsightTests.TypedObject", "\(name ?? "")")
      }
    }
    isDone.isSet = true
    while !isDone.hasEnded { usleep(1_000) }
  }

  // MARK: Refusals

  func testARuntimeOfAnotherLayout() {
    var types = SwiftTypes(canary: TypedObject())
    XCTAssertEqual(
      types.refusal,
      "Swift's runtime lays objects out in another way here than that of Swift 6, so that no types can be told")
    let object = TypedObject()
    XCTAssertNil(types.name(ofObjectAt: UInt(bitPattern: Unmanaged.passUnretained(object).toOpaque())))
    XCTAssertNil(SwiftTypes().refusal)
  }

  func testASystemThatForbidsReading() {
    let object = TypedObject()
    let address = UInt(bitPattern: Unmanaged.passUnretained(object).toOpaque())
    insight_refuse_reading(UInt32(INSIGHT_READ_BY_CALL))
    var types = SwiftTypes()
    XCTAssertEqual(types.name(ofObjectAt: address), "AllocatorInsightTests.TypedObject")
    XCTAssertNil(types.name(ofObjectAt: 4096))
    insight_refuse_reading(UInt32(INSIGHT_READ_BY_CALL | INSIGHT_READ_BY_PIPE))
    types = SwiftTypes()
    XCTAssertTrue(types.refusal?.contains("does not let this process read its own memory") ?? false)
    XCTAssertNil(types.name(ofObjectAt: address))
  }
}

private final class Flag: @unchecked Sendable {
  // Read and written by two threads, for which it is enough to see each other's words in the end.
  private let words = UnsafeMutablePointer<UInt>.allocate(capacity: 3)

  init() { words.initialize(repeating: 0, count: 3) }

  deinit { words.deallocate() }

  var isSet: Bool {
    get { words[0] != 0 }
    set { words[0] = newValue ? 1 : 0 }
  }
  var address: UInt {
    get { words[1] }
    set { words[1] = newValue }
  }
  var hasEnded: Bool {
    get { words[2] != 0 }
    set { words[2] = newValue ? 1 : 0 }
  }
}

class TypedObject {
  class Nested<A> {
    class Deep<B> {
      var value: (A, B)?
    }
  }

  var number = 1
}

private class PrivateObject {}

actor TypedActor { var number = 1 }

struct TypedError: Error { var code: Int }

class DerivedObject<Element>: TypedObject { var element: Element? }

class PackObject<each Element> {}

class DerivedFromFoundation<Element>: Operation, @unchecked Sendable { var element: Element? }
