// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

extension HeapProfile {
  /// Memory by who is answerable for it: a function of the program, rather than one of a library that it calls.
  struct Owner {
    var function: String
    var type: String?
    var live: Amount
    /// The site that has most of it.
    var site: Site
  }

  /// Largest live memory first.
  var owners: [Owner] {
    struct Key: Hashable {
      var function: String
      var type: String?
    }
    var owners: [Key: Owner] = [:]
    for site in sites where site.live != Amount() {
      let function = site.answerableFunction
      var rest = site.live
      var parts: [(String?, Amount)] = []
      for type in site.types {
        rest.add(type.live, sign: -1)
        parts.append((type.name, type.live))
      }
      // The variance of what is left over is what the types do not have.
      rest.objects.variance = site.live.objects.variance - site.types.reduce(0) { $0 + $1.live.objects.variance }
      rest.bytes.variance = site.live.bytes.variance - site.types.reduce(0) { $0 + $1.live.bytes.variance }
      if abs(rest.objects.value) > 1e-6 * max(abs(site.live.objects.value), 1) { parts.append((nil, rest)) }
      for (type, amount) in parts {
        let key = Key(function: function, type: type)
        if owners[key] != nil {
          owners[key]!.live += amount
        } else {
          owners[key] = Owner(function: function, type: type, live: amount, site: site)
        }
      }
    }
    return owners.values.sorted { ($0.live.bytes.value, $1.function) > ($1.live.bytes.value, $0.function) }
  }

  /// The answer in one sentence.
  public var headline: String {
    let live = live.bytes
    let span = "\(TimeSpan(seconds))"
    var sentence: String
    if isDifference {
      let time = seconds > 0 ? "in \(span)" : "from the first profile to the second"
      sentence = "Live memory \(Self.change(live.value)) \(time) (\(Self.error(live)))"
    } else if let growth {
      sentence =
        "Live memory \(Self.change(Double(growth))) in \(span); \(Self.size(live)) of what was allocated in that time \(Self.are(live)) alive"
    } else {
      sentence = "\(Self.size(live)) of what was allocated in \(span) \(Self.are(live)) alive"
    }
    guard let owner = owners.first, live.value > 0, owner.live.bytes.value > 0 else { return sentence }
    let share = Int((owner.live.bytes.value / live.value * 100).rounded())
    let objects = owner.live.objects
    let what = owner.type ?? (Int(objects.value.rounded()) == 1 ? "block" : "blocks")
    sentence += ", \(min(share, 100)) % of it from \(FunctionName.short(owner.function))"
    return sentence + " (\(Self.count(objects.value)) × \(what), \(Self.error(objects)))"
  }

  private static func are(_ estimate: Estimate) -> String { "is" }

  static func change(_ bytes: Double) -> String {
    "\(bytes < 0 ? "shrank" : "grew") by \(ByteCount(Int(abs(bytes).rounded())))"
  }

  static func size(_ estimate: Estimate) -> String {
    "\(ByteCount(Int(estimate.value.rounded()))) (\(error(estimate)))"
  }

  /// The standard error in per cent: at least 1, unless it is next to nothing, as where each block is a sample.
  static func error(_ estimate: Estimate) -> String {
    guard estimate.value != 0 else { return "±0 %" }
    let percent = estimate.standardError / abs(estimate.value) * 100
    return "±\(percent >= 0.01 && percent < 1 ? "1" : String(Int(min(percent, 1e9).rounded()))) %"
  }

  /// 640,000: a comma for each thousand.
  static func count(_ value: Double) -> String {
    let digits = Array(String(Int(abs(value).rounded())))
    var text = value < -0.5 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0 && (digits.count - index) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return text
  }
}

extension HeapProfile.Frame {
  /// Whether the function belongs to the system, Swift's library or the allocator, which allocate for whoever calls them.
  var isLibrary: Bool {
    // Allocators, what the standard library has put into the program by specialization, and what the compiler makes.
    Self.isLibrary(image: imageName) || FunctionName.isMachinery(function)
  }

  private static let libraries = [
    "libswift", "libFoundation", "lib_Foundation", "libdispatch", "libBlocksRuntime", "libc.so", "libc-", "libstdc++",
    "libm.so", "libpthread", "ld-linux", "libjemalloc", "libmimalloc", "libtcmalloc", "libNestPreload",
  ]

  /// The same of all functions of an image, by the name of its file, without folders.
  package static func isLibrary(image name: Substring) -> Bool { libraries.contains(where: name.hasPrefix) }
}

extension HeapProfile.Site {
  /// The innermost function that is neither a library's nor an initializer; else the innermost of the program; else of all.
  var answerableFunction: String {
    let own = frames.filter { !$0.isLibrary }
    return (own.first { !FunctionName.isInitializer($0.function) } ?? own.first ?? frames.first)?.function ?? "?"
  }
}

/// Names of functions as the demangler writes them.
enum FunctionName {
  private static let machinery = [
    "swift_", "malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc", "operator new", "__swift_",
    "allocator_", "partial apply forwarder", "Swift.", "static Swift.", "(extension in Swift)",
    "static (extension in Swift)",
    "Foundation.", "(extension in Foundation)", "lazy protocol witness", "closure #1 (Swift.",
    "protocol witness for ",
    "thunk for ", "_$", "reabstraction thunk", "type metadata accessor",
  ]

  static func isMachinery(_ name: String) -> Bool {
    guard machinery.contains(where: name.hasPrefix) else { return false }
    // A closure of the program's has what it takes first, too.
    return !name.hasPrefix("closure #1 (Swift.") || name.contains(" in Swift.")
      || name.contains(" in (extension in Swift)")
  }

  /// The function that the compiler has made a copy of: "generic specialization <Swift.Int> of Server.insert<A>(A) -> ()", "function
  /// signature specialization <Arg[0] = Dead> of …", "merged …".
  static func withoutSpecialization(_ name: String) -> String {
    var rest = name[...]
    while true {
      if rest.hasPrefix("merged ") {
        rest = rest.dropFirst(7)
        continue
      }
      guard let open = rest.firstIndex(of: "<"), rest[..<open].hasSuffix("specialization ") else { return String(rest) }
      var depth = 0
      var before: Character = " "
      var end: String.Index?
      for index in rest[open...].indices {
        let character = rest[index]
        if character == "<" { depth += 1 }
        if character == ">" && before != "-" { depth -= 1 }
        before = character
        if depth == 0 {
          end = rest.index(after: index)
          break
        }
      }
      guard let end, rest[end...].hasPrefix(" of ") else { return String(rest) }
      rest = rest[end...].dropFirst(4)
    }
  }

  static func isInitializer(_ name: String) -> Bool {
    name.contains(".init(") || name.contains("__allocating_init")
  }

  /// A name for a sentence: without the module, parameters, what is returned, and what the compiler has done with it.
  static func short(_ name: String) -> String {
    var rest = name[...]
    for prefix in ["partial apply forwarder for ", "static "] where rest.hasPrefix(prefix) {
      rest = rest.dropFirst(prefix.count)
    }
    // "closure #1 @Sendable () -> () in Server.App.run() -> ()": the function that has it.
    var closures = ""
    while rest.hasPrefix("closure #") || rest.hasPrefix("implicit closure #") {
      let words = rest.split(separator: " ")
      let number = words.first { $0.hasPrefix("#") } ?? "#1"
      var tail = rest
      while !tail.isEmpty && !tail.hasPrefix(" in ") { tail = tail.dropFirst() }
      guard !tail.isEmpty else { break }
      closures += "closure \(number) in "
      rest = tail.dropFirst(4)
    }
    if rest.hasPrefix("static ") { rest = rest.dropFirst(7) }
    // "(extension in Server):Swift.Array.sum() -> ()": where the extension is does not matter.
    if rest.hasPrefix("(extension in "), let colon = rest.firstIndex(of: ":") {
      rest = rest[colon...].dropFirst()
    }
    // Up to the parameters; what is in angle brackets has none.
    var depth = 0
    var end = rest.startIndex
    while end < rest.endIndex {
      let character = rest[end]
      if character == "<" { depth += 1 }
      if character == ">" { depth -= 1 }
      if depth == 0 && end != rest.startIndex && (character == "(" || character == " ") { break }
      end = rest.index(after: end)
    }
    var base = rest[..<end]
    // "Server.SessionStore.insert": the module first.
    if base.split(separator: ".").count > 2, let dot = base.firstIndex(of: ".") {
      base = base[base.index(after: dot)...]
    }
    return closures + (base.isEmpty ? String(rest) : String(base))
  }
}
