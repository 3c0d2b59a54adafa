// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

extension HeapProfile {
  /// Why a file is no profile that can be read, in words.
  package struct Unreadable: Error, Equatable {
    package var reason: String
  }

  /// Reads a file that ``pprof`` has made, or the message in it.
  package init(pprof file: [UInt8]) throws(Unreadable) {
    var message = file
    if file.starts(with: [0x1f, 0x8b]) {
      guard let contents = Gzip.contents(ofStored: file) else {
        throw Unreadable(reason: "it is compressed by another program, or damaged")
      }
      message = contents
    }
    do {
      var raw = RawProfile()
      try raw.read(message[...])
      try self.init(raw)
    } catch let failure as Unreadable {
      throw failure
    } catch {
      throw Unreadable(reason: "it is no profile in the format of pprof")
    }
  }

  private init(_ raw: RawProfile) throws {
    self.init()
    let types = raw.types.map { raw.text($0) }
    guard let first = types.firstIndex(of: "inuse_space") else {
      throw Unreadable(reason: "it is no profile of a heap: it has no inuse_space")
    }
    _ = first
    let columns = (Self.sampleTypes + Self.sampleTypes.map { "\($0)_variance" }).map { types.firstIndex(of: $0) }
    images = raw.mappings.map { mapping in
      Image(
        path: raw.text(mapping.path), low: UInt(bitPattern: mapping.low), high: UInt(bitPattern: mapping.high), base: 0,
        buildID: raw.text(mapping.buildID))
    }
    let names = Dictionary(raw.functions.map { ($0.id, raw.text($0.name)) }) { $1 }
    let mappings = Dictionary(raw.mappings.map { ($0.id, raw.text($0.path)) }) { $1 }
    var frames: [Int: [Frame]] = [:]
    for location in raw.locations {
      let address = UInt(bitPattern: location.address)
      // The innermost of functions that were inlined comes first.
      let functions =
        location.functions.isEmpty ? ["0x" + String(address, radix: 16)] : location.functions.map { names[$0] ?? "?" }
      frames[location.id] = functions.map {
        Frame(address: address, function: $0, image: mappings[location.mapping] ?? "")
      }
    }
    var places: [[Int]: Int] = [:]
    for sample in raw.samples {
      let values = columns.map { column in
        column.flatMap { $0 < sample.values.count ? Double(sample.values[$0]) : nil } ?? 0
      }
      let index = places[sample.locations] ?? sites.count
      if index == sites.count {
        places[sample.locations] = index
        sites.append(Site(frames: sample.locations.flatMap { frames[$0] ?? [] }))
      }
      var allocated = Amount()
      allocated.objects = Estimate(values[0], variance: values[4])
      allocated.bytes = Estimate(values[1], variance: values[5])
      var live = Amount()
      live.objects = Estimate(values[2], variance: values[6])
      live.bytes = Estimate(values[3], variance: values[7])
      sites[index].allocated += allocated
      sites[index].live += live
      if let label = sample.labels.first(where: { raw.text($0.key) == "swift_type" }) {
        sites[index].types.append(TypeShare(name: raw.text(label.text), live: live))
      }
    }
    interval = max(raw.period, 1)
    seconds = Double(raw.duration) / 1e9
    startDate = Double(raw.time) / 1e9
    for comment in raw.comments { read(comment: raw.text(comment)) }
    sort()
  }
}

/// The message as it is, numbers instead of names.
private struct RawProfile {
  struct Label {
    var key = 0
    var text = 0
  }
  struct Sample {
    var locations: [Int] = []
    var values: [Int] = []
    var labels: [Label] = []
  }
  struct Mapping {
    var id = 0
    var low = 0
    var high = 0
    var path = 0
    var buildID = 0
  }
  struct Location {
    var id = 0
    var mapping = 0
    var address = 0
    var functions: [Int] = []
  }
  struct Function {
    var id = 0
    var name = 0
  }

  var types: [Int] = []
  var samples: [Sample] = []
  var mappings: [Mapping] = []
  var locations: [Location] = []
  var functions: [Function] = []
  var strings: [String] = []
  var comments: [Int] = []
  var time = 0
  var duration = 0
  var period = 0

  func text(_ index: Int) -> String { strings.indices.contains(index) ? strings[index] : "" }

  typealias Value = ProtocolBufferReader.Value
  typealias Malformed = ProtocolBufferReader.Malformed

  mutating func read(_ bytes: ArraySlice<UInt8>) throws(Malformed) {
    var reader = ProtocolBufferReader(bytes)
    while let (field, value) = try reader.next() {
      switch (field, value) {
      case (1, _): types.append(try Self.first(1, value))
      case (2, _): samples.append(try Self.sample(value))
      case (3, _):
        var mapping = Mapping()
        try Self.read(value) {
          switch $0 {
          case 1: mapping.id = $1
          case 2: mapping.low = $1
          case 3: mapping.high = $1
          case 5: mapping.path = $1
          case 6: mapping.buildID = $1
          default: break
          }
        }
        mappings.append(mapping)
      case (4, _): locations.append(try Self.location(value))
      case (5, _):
        var function = Function()
        try Self.read(value) {
          if $0 == 1 { function.id = $1 }
          if $0 == 2 { function.name = $1 }
        }
        functions.append(function)
      case (6, .bytes(let text)): strings.append(String(decoding: text, as: UTF8.self))
      case (9, .number(let number)): time = number
      case (10, .number(let number)): duration = number
      case (12, .number(let number)): period = number
      case (13, _): comments += try ProtocolBufferReader.numbers(value)
      default: break
      }
    }
  }

  private static func read(_ value: Value, _ body: (Int, Int) -> Void) throws(Malformed) {
    guard case .bytes(let bytes) = value else { throw Malformed() }
    var reader = ProtocolBufferReader(bytes)
    while let (field, value) = try reader.next() {
      if case .number(let number) = value { body(field, number) }
    }
  }

  private static func first(_ wanted: Int, _ value: Value) throws(Malformed) -> Int {
    var found = 0
    try read(value) { if $0 == wanted { found = $1 } }
    return found
  }

  private static func sample(_ value: Value) throws(Malformed) -> Sample {
    guard case .bytes(let bytes) = value else { throw Malformed() }
    var sample = Sample()
    var reader = ProtocolBufferReader(bytes)
    while let (field, value) = try reader.next() {
      switch field {
      case 1: sample.locations += try ProtocolBufferReader.numbers(value)
      case 2: sample.values += try ProtocolBufferReader.numbers(value)
      case 3:
        var label = Label()
        try read(value) {
          if $0 == 1 { label.key = $1 }
          if $0 == 2 { label.text = $1 }
        }
        sample.labels.append(label)
      default: break
      }
    }
    return sample
  }

  private static func location(_ value: Value) throws(Malformed) -> Location {
    guard case .bytes(let bytes) = value else { throw Malformed() }
    var location = Location()
    var reader = ProtocolBufferReader(bytes)
    while let (field, value) = try reader.next() {
      switch (field, value) {
      case (1, .number(let number)): location.id = number
      case (2, .number(let number)): location.mapping = number
      case (3, .number(let number)): location.address = number
      case (4, _): location.functions.append(try first(1, value))
      default: break
      }
    }
    return location
  }
}
