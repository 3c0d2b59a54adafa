// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorInsight
import Synchronization

/// Tells the Swift type of an object by its address, where there is one, without trusting what lies there.
///
/// An object begins with the address of its type's metadata, and a word of reference counts. Both are read by the kernel, which
/// refuses instead of crashing, and followed only where they look as Swift 6's runtime writes them (see ``SwiftMetadata``).
package struct SwiftTypes {
  /// Why no type can be told in this process, as a sentence; nil where types can be told.
  package private(set) var refusal: String?

  /// What the first word of an object says.
  enum Known: Equatable {
    /// The object's type, and the bytes that an object of it has at least.
    case type(String, instanceSize: Int)
    /// An error, whose type its third word says.
    case error
    /// The words are not those of an object.
    case nothing
  }

  private var metadata = SwiftMetadata()
  private var known: [UInt: Known] = [:]
  private var knownErrors: [UInt: String?] = [:]
  private var closures = ClosureContexts()
  /// Words of which is known that they are none of objects, at most: in a heap of other things there are as many as blocks.
  private static let mostForeignWords = 1 << 16
  private var foreignWords = 0

  package init() { self.init(canary: Canary<Int>()) }

  /// - Parameter canary: an object whose type has to be found to be `Canary`.
  init(canary: AnyObject) {
    refusal = nil
    let error: any Error = CanaryError()
    let isReadable = OwnMemory.word(UInt(bitPattern: ObjectIdentifier(canary))) != nil
    let names = withExtendedLifetime((canary, error)) {
      (
        name(ofObjectAt: UInt(bitPattern: ObjectIdentifier(canary))),
        // The box, and not what is in it, which the cast spares from being opened (SE-0352).
        name(ofObjectAt: unsafeBitCast(error as any Error, to: UInt.self))
      )
    }
    if !isReadable {
      self = SwiftTypes(
        refusal:
          "the system does not let this process read its own memory (process_vm_readv(2)), so that no types can be told"
      )
    } else if names != ("AllocatorInsight.Canary<Swift.Int>", "error AllocatorInsight.CanaryError") {
      self = SwiftTypes(
        refusal:
          "Swift's runtime lays objects out in another way here than that of Swift 6, so that no types can be told")
    }
  }

  private init(refusal: String) { self.refusal = refusal }

  private static let shared = Mutex(SwiftTypes())

  /// The qualified name of the type of the Swift object that begins at `pointer`: "Server.Session",
  /// "Swift._ContiguousArrayStorage<Swift.Int>", "error Server.Failure", "box of Swift.String", "closure context made in Server.login", "task". Nil where
  /// there is none, whatever else the pointer leads to: memory of another kind, that of an object which has been released, or none.
  ///
  /// Never crashes, also where another thread releases the memory meanwhile. May be called by any thread, and allocates. Costs
  /// a system call, and more of them for the first object of a type.
  package static func name(ofObjectAt pointer: UnsafeRawPointer) -> String? {
    shared.withLock { $0.name(ofObjectAt: UInt(bitPattern: pointer)) }
  }

  /// The same, without a lock, and with what has been found out so far.
  package mutating func name(ofObjectAt address: UInt) -> String? {
    var words: (metadata: UInt, counts: UInt, third: UInt) = (0, 0, 0)
    // A small block may end before the third word, and lie at the end of memory; then it is no error either.
    guard refusal == nil,
      insight_read_memory(address, &words, 24) != 0 || insight_read_memory(address, &words, 16) != 0,
      Self.mayBeObject(words.metadata, words.counts)
    else { return nil }
    switch look(words.metadata) {
    case .type(let name, _): return name
    case .error: return name(ofErrorOfType: words.third)
    case .nothing: return nil
    }
  }

  // MARK: By words

  /// Whether the first two words of a block may be those of an object. Costs no system call.
  ///
  /// Reference counts are as Swift's runtime writes them: a side table or an immortal object has the highest bit; else the lowest
  /// says that nothing but Swift has to release it, and there is an unowned reference at least, the object's own.
  @inline(__always)
  static func mayBeObject(_ metadata: UInt, _ counts: UInt) -> Bool {
    SwiftMetadata.isPlausible(pointer: metadata)
      && (counts >> 63 == 1 || (counts & 1 == 1 && counts >> 1 & 0x7fff_ffff >= 1))
  }

  /// What the first word of a block says that may be an object.
  mutating func look(_ word: UInt) -> Known {
    if let answer = known[word] { return answer }
    let answer = find(word)
    if answer == .nothing {
      if foreignWords == Self.mostForeignWords { return answer }
      foreignWords += 1
    }
    known[word] = answer
    return answer
  }

  /// The name of an error by the third word of its object; nil where that is no type.
  mutating func name(ofErrorOfType type: UInt) -> String? {
    if let name = knownErrors[type] { return name }
    let name = metadata.isType(type) ? metadata.name(type).map { "error \($0)" } : nil
    knownErrors[type] = name
    return name
  }

  private mutating func find(_ word: UInt) -> Known {
    guard refusal == nil else { return .nothing }
    switch SwiftMetadata.kind(word) {
    case .aClass:
      guard let name = metadata.name(word) else { return .nothing }
      return .type(name, instanceSize: SwiftMetadata.instanceSize(word))
    case .closure: return closures.name(word).map { .type($0, instanceSize: 16) } ?? .nothing
    case .box:
      guard let boxed = OwnMemory.word(word + 16), metadata.isType(boxed), let name = metadata.name(boxed) else {
        return .nothing
      }
      return .type("box of \(name)", instanceSize: 16)
    case .error: return .error
    case .task: return .type("task", instanceSize: 16)
    case .job: return .type("job", instanceSize: 16)
    default: return .nothing
    }
  }
}

/// What a look at the runtime's layout is tried on: a generic class, an object of which is made for that.
private final class Canary<Element> {
  var value: Element?
}

private struct CanaryError: Error {
  var value = 1
}
