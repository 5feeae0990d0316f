// The compiled part of Asio and Beast: their headers, everywhere else, only declare it.

#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
